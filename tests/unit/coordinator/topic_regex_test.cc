#include "server/coordinator/regex/topic_regex.h"

#include <catch2/catch.hpp>
#include <stop_token>

namespace cohort::coordinator {
namespace {

using protocol::TopicId;
using protocol::TopicName;
using protocol::Uuid;

MetadataView view(std::vector<std::string> names) {
  std::vector<TopicView> topics;
  for (auto& name : names) topics.push_back({TopicId(Uuid(0, topics.size() + 1)), TopicName(std::move(name)), 1});
  return {7, std::move(topics)};
}

using Topics = std::set<TopicName>;

}  // namespace

TEST_CASE("valid expressions") {
  for (const char* regex : {"", "a", "foo.*", "p-(one|tw.)", "(?i)abc", "\\d+", "[a-z]{1,3}"}) {
    CAPTURE(regex);
    CHECK_FALSE(regex_error(regex).has_value());
  }
}

TEST_CASE("invalid expressions say what is wrong") {
  for (const char* regex : {"[", "(", "*a", "(?=x)y", "a(?!b)", "\\1", "a**", "\xff"}) {
    CAPTURE(regex);
    const auto error = regex_error(regex);
    REQUIRE(error.has_value());
    CHECK(error->starts_with("SubscribedTopicRegex `" + std::string(regex) + "` is not a valid regular expression: "));
    CHECK(error->ends_with("."));
  }
}

TEST_CASE("expressions are bounded in length and in what they compile to") {
  CHECK_FALSE(regex_error(std::string(kMaxRegexBytes, 'a')).has_value());
  CHECK(regex_error(std::string(kMaxRegexBytes + 1, 'a')).has_value());
  CHECK(regex_error("((a{100}){100}){100}").has_value());
  CHECK(regex_error("(\\pL{500}){2}|(\\pN{500}){2}").has_value());
}

TEST_CASE("an expression must match the whole name") {
  const auto resolved =
      resolve_regexes(view({"__consumer_offsets", "foo", "foo2", "a-foo"}), {"foo", "foo.*", ".*offsets"});
  CHECK(resolved.metadata_version == 7);
  CHECK(resolved.topics_by_regex == std::map<std::string, Topics>{{"foo", {TopicName("foo")}},
                                                                  {"foo.*", {TopicName("foo"), TopicName("foo2")}},
                                                                  {".*offsets", {TopicName("__consumer_offsets")}}});
}

TEST_CASE("an expression without a match, or a damaged one, resolves to no topic") {
  const auto resolved = resolve_regexes(view({"foo"}), {"bar", "["});
  CHECK(resolved.topics_by_regex == std::map<std::string, Topics>{{"bar", {}}, {"[", {}}});
  CHECK(resolve_regexes(view({"foo"}), {}).topics_by_regex.empty());
}

TEST_CASE("a resolution ends early when the process does") {
  std::stop_source ending;
  CHECK(resolve_regexes(view({"foo"}), {"foo"}, ending.get_token()).topics_by_regex.at("foo").size() == 1);
  ending.request_stop();
  CHECK(resolve_regexes(view({"foo"}), {"foo"}, ending.get_token()).topics_by_regex.at("foo").empty());
}

}  // namespace cohort::coordinator
