// Heartbeats of a member: epoch-fencing, retry-with-previous-epoch, rejoin, leave, and the group's values of its own.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("an epoch that is not the member's is fenced; the member stays and may rejoin") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  const Answer newer = h.beat("m1", 3);
  CHECK(newer.error == ErrorCode::kFencedMemberEpoch);
  CHECK_FALSE(newer.member);
  CHECK(newer.epoch == 0);
  CHECK_FALSE(newer.assignment);
  CHECK(h.beat("m1", 2, {.topics = {{"t", "u"}}}).epoch == 3);
  CHECK(h.beat("m1", 3, {.topics = {{"t", "u", "v"}}}).epoch == 4);
  CHECK(h.beat("m1", 2).error == ErrorCode::kFencedMemberEpoch);
  const Answer rejoined = h.join("m1", {.topics = {{"t"}}});
  CHECK(rejoined.epoch == 5);
  CHECK(rejoined.assignment == Owned{{"t", {0}}});
}

TEST_CASE("a rejoin that changes nothing bumps nothing") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.records();
  const Answer rejoined = h.join("m1", {.topics = {{"t"}}});
  CHECK(rejoined.epoch == 2);
  CHECK(rejoined.assignment == Owned{{"t", {0, 1}}});
  CHECK(h.records().empty());
}

TEST_CASE("the previous epoch is accepted when what the member has fits its assignment") {
  Harness h;
  h.topic("t", 2);
  h.topic("other", 1);
  h.join("m1", {.topics = {{"t"}}});
  CHECK(h.beat("m1", 2, {.topics = {{"t", "later"}}, .owned = Owned{{"t", {0, 1}}}}).epoch == 3);
  CHECK(h.beat("m1", 2, {.topics = {{"t", "later"}}, .owned = Owned{{"t", {0, 1}}}}).epoch == 3);
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {1}}}}).epoch == 3);
  CHECK(h.beat("m1", 2, {.owned = Owned{}}).epoch == 3);
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {5}}}}).error == ErrorCode::kFencedMemberEpoch);
  CHECK(h.beat("m1", 2, {.owned = Owned{{"other", {0}}}}).error == ErrorCode::kFencedMemberEpoch);
  CHECK(h.beat("m1", 2).error == ErrorCode::kFencedMemberEpoch);  // says nothing of what it has
  CHECK(h.beat("m1", 1, {.owned = Owned{}}).error == ErrorCode::kFencedMemberEpoch);
}

TEST_CASE("leaving frees the partitions and bumps the epoch") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  CHECK(h.join("m2", {.topics = {{"t"}}}).assignment == Owned{});
  h.records();
  const Answer left = h.leave("m1");
  CHECK(left.error == ErrorCode::kNone);
  CHECK(left.member == "m1");
  CHECK(left.epoch == -1);
  CHECK(left.interval_ms == 0);
  CHECK_FALSE(left.assignment);
  CHECK(h.records() == Lines{"-current m1", "-target m1", "-member m1", "group 4"});
  CHECK_FALSE(h.deadline(TimerKind::kConsumerSession, "m1"));
  CHECK(h.beat("m1", 2).error == ErrorCode::kUnknownMemberId);

  const Answer taken = h.beat("m2", 3, {.owned = Owned{}});
  CHECK(taken.epoch == 4);
  CHECK(taken.assignment == Owned{{"t", {0, 1}}});
  CHECK(h.leave("m2").error == ErrorCode::kNone);
  const auto empty = h.describe();
  CHECK(empty.group_state == "Empty");
  CHECK(empty.group_epoch == 5);
  CHECK(empty.members.empty());
  CHECK(h.join("m3", {.topics = {{"t"}}}).epoch == 6);
}

TEST_CASE("a steady heartbeat writes nothing, sets no timer, and is recognised") {
  Harness h;
  h.topic("t", 4);
  h.join("m1", {.topics = {{"t"}}});
  h.beat("m1", 2);
  h.records();
  const std::int64_t before = h.last_offset();
  for (int i = 0; i < 100; ++i) {
    h.sleep(5s);
    CHECK(h.beat("m1", 2).epoch == 2);
  }
  CHECK(h.last_offset() == before);
}

TEST_CASE("a group's own timeouts and intervals are used, within the bounds of the process") {
  config::GroupConfig config = exact_config();
  config.consumer_min_session_timeout = 1s;
  config.consumer_min_heartbeat_interval = 500ms;
  Harness h(config);
  h.topic("t", 2);
  h.override_group("g", {.consumer_session_timeout = 1500ms, .consumer_heartbeat_interval = 600ms});
  CHECK(h.join("m1", {.topics = {{"t"}}}).interval_ms == 600);
  CHECK(h.deadline(TimerKind::kConsumerSession, "m1") == 1500ms);
  CHECK(h.join("m2", {.topics = {{"t"}}, .group = "plain"}).interval_ms == 5000);
  h.override_group("g", {.consumer_session_timeout = 1h, .consumer_heartbeat_interval = 1ms});
  CHECK(h.beat("m1", 2).interval_ms == 500);
  h.beat("m1", 2);
  h.sleep(59s);
  CHECK(h.group().members.size() == 1);
  h.sleep(1s);
  CHECK(h.group().members.empty());
}

TEST_CASE("a shorter session timeout holds from the next heartbeat on") {
  config::GroupConfig config = exact_config();
  config.consumer_min_session_timeout = 1s;
  Harness h(config);
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.beat("m1", 2);
  h.override_group("g", {.consumer_session_timeout = 2s});
  h.beat("m1", 2);
  CHECK(h.deadline(TimerKind::kConsumerSession, "m1") == 2s);
  h.sleep(2s);
  CHECK(h.group().members.empty());
}

}  // namespace cohort::coordinator::testing
