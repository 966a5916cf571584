// What clients can make a shard keep, and how it is counted.
#include "server/coordinator/core/limits.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/unit/coordinator/classic/calls.h"
#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {
namespace {

constexpr const char* kUuid = "0f8fad5b-d9cb-469f-a165-70867728950";  // and one more digit

config::GroupConfig limited() {
  config::GroupConfig config = classic_config();
  config.max_groups = 3;
  config.max_similar_groups = 2;
  config.group_max_offsets = 4;
  return config;
}

std::string like(int number) {
  return fmt::format("app-{}{}", kUuid, number);
}

Answer beat_first(Harness& h, const std::string& group) {
  Said said;
  said.topics = {"t"};
  said.group = group;
  return h.join("m", said);
}

void remove(Harness& h, const std::string& group) {
  DeleteGroups request;
  request.groups.emplace_back(group);
  const auto deleted = std::get<DeletedGroups>(h.request(std::move(request)));
  REQUIRE(deleted.at(0).error_code == 0);
}

TEST_CASE("a random id is one with a long run of hexadecimal digits; numbers of devices are none") {
  CHECK(random_pattern("app-0f8fad5b-d9cb-469f-a165-70867728950e-x") == "app*x");
  CHECK(random_pattern("0123456789abcdef") == "*");
  CHECK(random_pattern("x0123456789ABCDEFx0123456789abcdefx") == "x*x*x");
  CHECK_FALSE(random_pattern("0123456789abcde").has_value());  // too short
  CHECK_FALSE(random_pattern("sensor_000123456").has_value());
  CHECK_FALSE(random_pattern("facade-decade-beaded-cabbage").has_value());  // no digit
  CHECK_FALSE(random_pattern("").has_value());
}

TEST_CASE("a group more than there may be is refused, whatever it begins with; those that are there go on") {
  Harness h(limited());
  Classic c(h);
  h.topic("t", 9);
  CHECK(commit(h, "simple", "t", {{0, 1}}) == "t:0=0");
  CHECK(beat_first(h, "consumer").error == ErrorCode::kNone);
  c.new_id({.group = "classic"});
  CHECK(h.state().census.groups() == 3);

  CHECK(commit(h, "one more", "t", {{0, 1}}) == "t:0=44");
  const Answer refused = beat_first(h, "one more");
  CHECK(refused.error == ErrorCode::kPolicyViolation);
  CHECK(refused.message == "there are 3 groups already, as many as cohort.max.groups allows");
  CHECK(c.join({}, {.group = "one more"}).error() == ErrorCode::kPolicyViolation);

  CHECK(commit(h, "simple", "t", {{1, 1}}) == "t:1=0");
  CHECK(beat_first(h, "simple").error == ErrorCode::kNone);  // has offsets: no new group
  CHECK(h.state().census.groups() == 3);
  h.restart();
  CHECK(h.state().census.groups() == 3);
  remove(h, "classic");
  CHECK(h.state().census.groups() == 2);
  CHECK(commit(h, "one more", "t", {{0, 1}}) == "t:0=0");
}

TEST_CASE("groups that differ only in a UUID have a bound of their own") {
  Harness h(limited());
  h.topic("t", 9);
  CHECK(commit(h, like(1), "t", {{0, 1}}) == "t:0=0");
  CHECK(beat_first(h, like(2)).error == ErrorCode::kNone);
  CHECK(beat_first(h, like(3)).error == ErrorCode::kPolicyViolation);
  CHECK(commit(h, like(3), "t", {{0, 1}}) == "t:0=44");
  CHECK(commit(h, like(1), "t", {{0, 2}}) == "t:0=0");
  CHECK(commit(h, "plain", "t", {{0, 1}}) == "t:0=0");
  CHECK(h.state().census.alike(like(7)) == 2);
  remove(h, like(1));
  CHECK(h.state().census.alike(like(7)) == 1);
  CHECK(beat_first(h, like(3)).error == ErrorCode::kNone);
}

TEST_CASE("a group that changes its family is counted once") {
  Harness h(limited());
  Classic c(h);
  h.topic("t", 9);
  c.new_id({.group = "a"});
  CHECK(beat_first(h, "b").error == ErrorCode::kNone);
  Said leaves;
  leaves.group = "b";
  h.leave("m", leaves);
  c.new_id({.group = "b"});                         // an empty consumer group becomes a classic one
  CHECK(commit(h, "b", "t", {{0, 1}}) == "t:0=0");  // and has offsets
  CHECK(h.state().classic_groups.contains("b"));
  CHECK(h.state().census.groups() == 2);
}

TEST_CASE("offsets of a group are bounded: new partitions are refused, others are committed") {
  Harness h(limited());
  h.topic("t", 9);
  h.topic("u", 9);
  CHECK(commit(h, "g", "t", {{0, 1}, {1, 1}, {2, 1}}) == "t:0=0 t:1=0 t:2=0");
  CHECK(commit(h, "g", "t", {{2, 2}, {3, 2}, {4, 2}}) == "t:2=0 t:3=0 t:4=44");
  CHECK(commit(h, "g", "u", {{0, 1}}) == "u:0=44");
  CHECK(commit(h, "other", "u", {{0, 1}}) == "u:0=0");
  CHECK(delete_offsets(h, "g", "t", {0}) == "t:0=0");
  CHECK(commit(h, "g", "u", {{0, 1}}) == "u:0=0");
  CHECK(h.state().offsets.find("g")->count == 4);
}

TEST_CASE("members that were told their ids and do not come back are bounded") {
  Harness h(classic_config());
  Classic c(h);
  for (int i = 0; i < 2'000; ++i) c.new_id();
  CHECK(c.join().error() == ErrorCode::kRebalanceInProgress);
  CHECK(h.round().pending().size() == 2'000);
  h.sleep(std::chrono::seconds{11});  // their sessions end
  CHECK(h.round().pending().empty());
  c.new_id();
}

}  // namespace
}  // namespace cohort::coordinator::testing
