#include "server/coordinator/regex/topic_regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include "protocol/base/log.h"

namespace cohort::coordinator {
namespace {

// What one compiled expression may take, program and automaton together; a larger one is refused as invalid.
constexpr std::int64_t kMaxRegexMemory = 2 << 20;

RE2::Options options() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxRegexMemory);
  return options;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

std::optional<std::string> regex_error(std::string_view regex) {
  if (regex.size() > kMaxRegexBytes) {
    return fmt::format("SubscribedTopicRegex `{}...` is not a valid regular expression: longer than {} bytes.",
                       regex.substr(0, 64), kMaxRegexBytes);
  }
  const RE2 compiled(piece(regex), options());
  if (compiled.ok()) return std::nullopt;
  return fmt::format("SubscribedTopicRegex `{}` is not a valid regular expression: {}.", regex, compiled.error());
}

ResolvedRegexes resolve_regexes(const MetadataView& metadata, const std::set<std::string>& regexes,
                                const std::stop_token& ending) {
  ResolvedRegexes result;
  result.metadata_version = metadata.version();
  for (const std::string& regex : regexes) {
    auto& topics = result.topics_by_regex[regex];
    const RE2 compiled(piece(regex), options());
    if (!compiled.ok()) {
      log::error("TopicRegex", "a stored regular expression cannot be compiled and matches nothing: `{}`: {}", regex,
                 compiled.error());
      continue;
    }
    for (const TopicView& topic : metadata.topics()) {
      if (ending.stop_requested()) return result;
      if (RE2::FullMatch(piece(topic.name.value()), compiled)) topics.emplace_hint(topics.end(), topic.name);
    }
  }
  return result;
}

}  // namespace cohort::coordinator
