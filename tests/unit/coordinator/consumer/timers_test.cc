// Session and rebalance timeouts, also over a restart.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("a silent member is removed after its session timeout and its partitions move on") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  h.sleep(40s);
  h.beat("m2", 3, {.owned = Owned{}});
  h.records();
  h.sleep(4999ms);
  CHECK(h.records().empty());
  h.sleep(1ms);
  CHECK(h.records() == Lines{"-current m1", "-target m1", "-member m1", "group 4"});
  CHECK(h.beat("m1", 2).error == ErrorCode::kUnknownMemberId);
  const Answer taken = h.beat("m2", 3, {.owned = Owned{}});
  CHECK(taken.epoch == 4);
  CHECK(taken.assignment == Owned{{"t", {0, 1}}});
}

TEST_CASE("a heartbeat moves the deadline, and the timer follows when it fires") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  for (int i = 0; i < 10; ++i) {
    h.sleep(44s);
    CHECK(h.beat("m1", 2).error == ErrorCode::kNone);
  }
  h.sleep(44999ms);
  CHECK(h.group().members.size() == 1);
  h.sleep(1ms);
  CHECK(h.group().members.empty());
  CHECK_FALSE(h.deadline(TimerKind::kConsumerSession, "m1"));
}

TEST_CASE("a refused heartbeat does not keep a member alive") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.sleep(30s);
  CHECK(h.beat("m1", 7).error == ErrorCode::kFencedMemberEpoch);
  h.sleep(15s);
  CHECK(h.group().members.empty());
}

TEST_CASE("a member that leaves and comes back has a whole session before it") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.sleep(40s);
  h.leave("m1");
  h.join("m1", {.topics = {{"t"}}});
  h.sleep(44s);
  CHECK(h.group().members.size() == 1);
  h.sleep(1s);
  CHECK(h.group().members.empty());
}

TEST_CASE("a member that beats but does not give up its partitions in time is removed") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .rebalance_timeout_ms = 12'000});
  h.join("m2", {.topics = {{"t"}}});
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}}).assignment == Owned{{"t", {0}}});
  CHECK(h.deadline(TimerKind::kConsumerRebalance, "m1") == 12s);
  for (int i = 0; i < 2; ++i) {
    h.sleep(5s);
    CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}}).epoch == 2);
    h.beat("m2", 3, {.owned = Owned{}});
  }
  h.sleep(2s);
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}}).error == ErrorCode::kUnknownMemberId);
  const Answer taken = h.beat("m2", 3, {.owned = Owned{}});
  CHECK(taken.epoch == 4);
  CHECK(taken.assignment == Owned{{"t", {0, 1}}});
}

TEST_CASE("a change of what is to be given up begins the rebalance timeout anew") {
  config::GroupConfig config = exact_config();
  config.consumer_assignment_interval = 1h;
  Harness h(config);
  h.topic("a", 1);
  h.topic("b", 1);
  h.join("m1", {.topics = {{"a", "b"}}, .rebalance_timeout_ms = 10'000});
  h.beat("m1", 2, {.topics = {{"a"}}, .owned = Owned{{"a", {0}}, {"b", {0}}}});
  h.sleep(8s);
  h.beat("m1", 2, {.topics = {std::vector<std::string>()}, .owned = Owned{{"a", {0}}, {"b", {0}}}});
  CHECK(h.deadline(TimerKind::kConsumerRebalance, "m1") == 10s);
}

TEST_CASE("timers begin anew after a restart") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .rebalance_timeout_ms = 20'000});
  h.join("m2", {.topics = {{"t"}}});
  h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}});
  h.sleep(15s);
  h.restart();
  CHECK(h.deadline(TimerKind::kConsumerSession, "m1") == 45s);
  CHECK(h.deadline(TimerKind::kConsumerSession, "m2") == 45s);
  CHECK(h.deadline(TimerKind::kConsumerRebalance, "m1") == 20s);
  h.sleep(20s);
  CHECK(h.group().find_member("m1") == nullptr);
  CHECK(h.beat("m2", 3).assignment == Owned{{"t", {0, 1}}});
  h.sleep(44s);
  CHECK(h.group().members.size() == 1);
}

TEST_CASE("timers of groups and members that are gone are nothing") {
  config::GroupConfig config = exact_config();
  GroupCoordinator coordinator(config);
  struct Ids : IdSource {
    protocol::Uuid next_uuid() override { return {}; }
  } ids;
  const std::shared_ptr<const MetadataView> metadata = std::make_shared<MetadataView>();
  Output output;
  for (const TimerKind kind : {TimerKind::kConsumerSession, TimerKind::kConsumerRebalance}) {
    coordinator.on_timer({kind, protocol::GroupId("none"), protocol::MemberId("m")}, {{}, ids, metadata}, output);
  }
  CHECK(output.records.empty());
  CHECK(output.timers.empty());
}

}  // namespace cohort::coordinator::testing
