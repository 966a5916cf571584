#include "server/topics/topic_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace cohort::topics {
namespace {

bool is_legal(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

}  // namespace

std::optional<std::string> why_invalid_name(std::string_view name) {
  if (name.empty()) return "Topic name is invalid: it is empty";
  if (name == "." || name == "..") return fmt::format("Topic name is invalid: '{}' is not allowed", name);
  if (name.size() > kMaxTopicNameLength) {
    return fmt::format("Topic name is invalid: it has {} characters, at most {} are allowed", name.size(),
                       kMaxTopicNameLength);
  }
  if (!std::ranges::all_of(name, is_legal)) {
    return fmt::format("Topic name is invalid: '{}' has characters other than ASCII letters, digits, '.', '_' and '-'",
                       name);
  }
  return std::nullopt;
}

bool is_internal_name(std::string_view name) {
  return name == kConsumerOffsetsTopic || name == kTransactionStateTopic || name == kShareGroupStateTopic;
}

bool is_reserved_name(std::string_view name) {
  return name == kClusterMetadataTopic || name == kCatalogueTopic;
}

bool has_collision_chars(std::string_view name) {
  return name.find_first_of("._") != std::string_view::npos;
}

std::string unify_collision_chars(std::string_view name) {
  std::string unified(name);
  std::ranges::replace(unified, '.', '_');
  return unified;
}

}  // namespace cohort::topics
