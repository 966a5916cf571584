// Moving members towards their targets: revoke first, then assign; changed subscriptions; topics that change.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("a partition reaches the second member only after the first one has given it up") {
  Harness h;
  h.topic("t", 4);
  h.join("m1", {.topics = {{"t"}}});
  h.records();
  const Answer second = h.join("m2", {.topics = {{"t"}}});
  CHECK(second.epoch == 3);
  CHECK(second.assignment == Owned{});
  CHECK(h.records() == Lines{"member m2 [t]", "group 3", "target m1 t:0,1", "target m2 t:2,3", "assignment 3",
                             "current m2 3<0 unreleased"});
  CHECK(h.group().state() == ConsumerGroupState::kReconciling);

  const Answer told = h.beat("m1", 2, {.owned = Owned{{"t", {0, 1, 2, 3}}}});
  CHECK(told.epoch == 2);
  CHECK(told.assignment == Owned{{"t", {0, 1}}});
  CHECK(h.records() == Lines{"current m1 2<2 unrevoked t:0@2,1@2 revoking t:2@2,3@2"});
  CHECK(h.deadline(TimerKind::kConsumerRebalance, "m1") == 60s);

  CHECK_FALSE(h.beat("m2", 3, {.owned = Owned{}}).assignment);
  CHECK(h.records() == Lines{"current m2 3<3 unreleased"});  // as in Kafka: the epoch it said is now the previous one
  h.beat("m2", 3, {.owned = Owned{}});
  const Answer silent = h.beat("m1", 2);  // does not say what it has: no confirmation
  CHECK(silent.epoch == 2);
  CHECK_FALSE(silent.assignment);
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1, 2}}}}).epoch == 2);
  CHECK(h.records().empty());

  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}}).epoch == 3);
  CHECK(h.records() == Lines{"current m1 3<2 stable t:0@2,1@2"});
  CHECK_FALSE(h.deadline(TimerKind::kConsumerRebalance, "m1"));

  const Answer given = h.beat("m2", 3, {.owned = Owned{}});
  CHECK(given.epoch == 3);
  CHECK(given.assignment == Owned{{"t", {2, 3}}});
  CHECK(h.records() == Lines{"current m2 3<3 stable t:2@3,3@3"});
  CHECK_FALSE(h.beat("m2", 3, {.owned = Owned{{"t", {2, 3}}}}).assignment);
  CHECK(h.records().empty());
  CHECK(h.group().state() == ConsumerGroupState::kStable);
}

TEST_CASE("a free partition does not wait for one that is not free") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.topic("t", 4);
  // The new partitions belong to nobody; m2's share is two of them at once.
  const Answer joined = h.join("m2", {.topics = {{"t"}}});
  CHECK(joined.assignment == Owned{{"t", {2, 3}}});
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}}).epoch == 3);
  CHECK(h.group().state() == ConsumerGroupState::kStable);
}

TEST_CASE("a member that rejoins has nothing to give up") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}});
  CHECK(h.member("m1").state == MemberState::kUnrevokedPartitions);
  const Answer rejoined = h.join("m1", {.topics = {{"t"}}});
  CHECK(rejoined.epoch == 3);
  CHECK(rejoined.assignment == Owned{{"t", {0}}});
  CHECK(h.beat("m2", 3).assignment == Owned{{"t", {1}}});
}

TEST_CASE("a target that moves back what is being given up") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}});
  h.leave("m2");
  h.records();
  // It still has to confirm first, then gets it back with its next step.
  CHECK(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}}).epoch == 2);
  const Answer back = h.beat("m1", 2, {.owned = Owned{{"t", {0}}}});
  CHECK(back.epoch == 4);
  CHECK(back.assignment == Owned{{"t", {0, 1}}});
}

TEST_CASE("dropping a topic from the subscription takes its partitions at once") {
  Harness h;
  h.topic("a", 1);
  h.topic("b", 1);
  h.join("m1", {.topics = {{"a", "b"}}});
  h.records();
  const Answer told = h.beat("m1", 2, {.topics = {{"a"}}, .owned = Owned{{"a", {0}}, {"b", {0}}}});
  CHECK(told.epoch == 2);
  CHECK(told.assignment == Owned{{"a", {0}}});
  CHECK(h.records() == Lines{"member m1 [a]", "group 3", "target m1 a:0", "assignment 3",
                             "current m1 2<2 unrevoked a:0@2 revoking b:0@2"});
  CHECK(h.beat("m1", 2, {.owned = Owned{{"a", {0}}}}).epoch == 3);
}

TEST_CASE("within the assignment interval a dropped topic is taken without a new target") {
  config::GroupConfig config = exact_config();
  config.consumer_assignment_interval = 1s;
  Harness h(config);
  h.topic("a", 1);
  h.topic("b", 1);
  h.join("m1", {.topics = {{"a", "b"}}});
  h.records();
  const Answer told = h.beat("m1", 2, {.topics = {{"a"}}, .owned = Owned{{"a", {0}}, {"b", {0}}}});
  CHECK(told.epoch == 2);
  CHECK(told.assignment == Owned{{"a", {0}}});
  CHECK(h.records() == Lines{"member m1 [a]", "group 3", "current m1 2<2 unrevoked a:0@2 revoking b:0@2"});
  // Another topic goes while the first one is still being given up.
  h.beat("m1", 2, {.topics = {std::vector<std::string>()}, .owned = Owned{{"a", {0}}, {"b", {0}}}});
  CHECK(h.records() == Lines{"member m1 []", "group 4", "current m1 2<2 unrevoked revoking a:0@2 b:0@2"});
  CHECK(h.beat("m1", 2, {.owned = Owned{}}).epoch == 2);
  CHECK(h.records() == Lines{"current m1 2<2 stable"});
}

TEST_CASE("a subscription that shrinks by what the member has already dropped") {
  config::GroupConfig config = exact_config();
  config.consumer_assignment_interval = 1s;
  Harness h(config);
  h.topic("a", 1);
  h.topic("b", 1);
  h.join("m1", {.topics = {{"a", "b"}}});
  h.records();
  CHECK(h.beat("m1", 2, {.topics = {{"a"}}, .owned = Owned{{"a", {0}}}}).assignment == Owned{{"a", {0}}});
  CHECK(h.records() == Lines{"member m1 [a]", "group 3", "current m1 2<2 stable a:0@2"});
}

TEST_CASE("partitions of a deleted topic are revoked") {
  Harness h;
  h.topic("a", 1);
  h.topic("b", 2);
  h.join("m1", {.topics = {{"a", "b"}}});
  h.drop_topic("b");
  h.records();
  const Answer told = h.beat("m1", 2);
  CHECK(told.epoch == 2);
  CHECK(told.assignment == Owned{{"a", {0}}});
  CHECK(h.member("m1").state == MemberState::kUnrevokedPartitions);
  CHECK(h.beat("m1", 2, {.owned = Owned{{"a", {0}}}}).epoch == 3);
}

TEST_CASE("a topic that is made anew under its name is another topic") {
  Harness h;
  h.topic("a", 2);
  h.join("m1", {.topics = {{"a"}}});
  h.drop_topic("a");
  h.topic("a", 2);
  CHECK(h.beat("m1", 2).assignment == Owned{});
  const Answer anew = h.beat("m1", 2, {.owned = Owned{}});
  CHECK(anew.epoch == 3);
  CHECK(anew.assignment == Owned{{"a", {0, 1}}});
}

TEST_CASE("topics that a group does not subscribe to change nothing") {
  Harness h;
  h.topic("a", 1);
  h.join("m1", {.topics = {{"a"}}});
  h.records();
  h.topic("other", 5);
  h.drop_topic("other");
  CHECK(h.beat("m1", 2).epoch == 2);
  CHECK(h.records().empty());
}

TEST_CASE("uniform keeps what it can and is even") {
  Harness h;
  h.topic("t", 9);
  h.join("m1", {.topics = {{"t"}}});
  std::map<std::string, std::int32_t> epochs{{"m1", 2}};
  for (const std::string member : {"m2", "m3"}) {
    epochs[member] = h.join(member, {.topics = {{"t"}}}).epoch;
    for (int round = 0; round < 3; ++round) {
      for (auto& [id, epoch] : epochs) epoch = h.beat(id, epoch, {.owned = h.assigned(id)}).epoch;
    }
    CHECK(h.group().state() == ConsumerGroupState::kStable);
  }
  for (const auto& [id, epoch] : epochs) CHECK(h.assigned(id).at("t").size() == 3);
}

}  // namespace cohort::coordinator::testing
