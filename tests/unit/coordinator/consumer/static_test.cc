// Static members: the conformance scenario static-member-restart and its corners.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("a static member that left for a while keeps its partitions for its successor") {
  Harness h;
  h.topic("t", 2);
  const Said is{.topics = {{"t"}}, .instance = "i"};
  CHECK(h.join("old", is).assignment == Owned{{"t", {0, 1}}});
  const Answer held = h.join("new", is);
  CHECK(held.error == ErrorCode::kUnreleasedInstanceId);
  h.records();

  const Answer left = h.leave_for_a_while("old", "i");
  CHECK(left.error == ErrorCode::kNone);
  CHECK(left.member == "old");
  CHECK(left.epoch == -2);
  CHECK(left.interval_ms == 0);
  CHECK(h.records() == Lines{"current old -2<0 stable t:0@0,1@0"});
  CHECK(h.describe().members.at(0).member_epoch == -2);

  const Answer back = h.join("new", is);
  CHECK(back.error == ErrorCode::kNone);
  CHECK(back.epoch == 2);
  CHECK(back.assignment == Owned{{"t", {0, 1}}});
  CHECK(h.records() == Lines{"-current old", "-target old", "-member old", "member new [t] is i", "target new t:0,1",
                             "current new 0<0 stable t:0@0,1@0", "current new 2<0 stable t:0@0,1@0"});
  CHECK_FALSE(h.deadline(TimerKind::kConsumerSession, "old"));
  CHECK(h.deadline(TimerKind::kConsumerSession, "new") == 45s);

  CHECK(h.beat("old", 2, {.instance = "i"}).error == ErrorCode::kFencedInstanceId);
  CHECK(h.leave_for_a_while("old", "i").error == ErrorCode::kFencedInstanceId);
  CHECK(h.beat("new", 2, {.instance = "stranger"}).error == ErrorCode::kUnknownMemberId);
  CHECK(h.leave_for_a_while("new", "stranger").error == ErrorCode::kUnknownMemberId);
  CHECK(h.beat("new", 2, {.instance = "i"}).epoch == 2);
}

TEST_CASE("the session goes on after a static member left for a while") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  h.sleep(30s);
  h.leave_for_a_while("m1", "i");
  h.sleep(14s);
  CHECK(h.group().members.size() == 1);
  h.sleep(1s);
  CHECK(h.group().members.empty());
  CHECK(h.group().static_members.empty());
}

TEST_CASE("a static member comes back under its own id") {
  Harness h;
  h.topic("t", 2);
  const Said is{.topics = {{"t"}}, .instance = "i"};
  h.join("m1", is);

  SECTION("after it left for a while") {
    h.leave_for_a_while("m1", "i");
    const Answer back = h.join("m1", is);
    CHECK(back.epoch == 2);
    CHECK(back.assignment == Owned{{"t", {0, 1}}});
    h.sleep(44s);
    CHECK(h.group().members.size() == 1);
    CHECK(h.beat("m1", 2, {.instance = "i"}).error == ErrorCode::kNone);
    h.sleep(44s);
    CHECK(h.group().members.size() == 1);
  }
  SECTION("when the reply to its join was lost (apache/kafka#23542)") {
    h.records();
    const Answer again = h.join("m1", is);
    CHECK(again.error == ErrorCode::kNone);
    CHECK(again.epoch == 2);
    CHECK(again.assignment == Owned{{"t", {0, 1}}});
    CHECK(h.records().empty());
  }
}

TEST_CASE("partitions that a leaving static member had not given up yet are free") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  h.join("m2", {.topics = {{"t"}}});
  h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}, .instance = "i"});
  CHECK(h.member("m1").state == MemberState::kUnrevokedPartitions);
  h.leave_for_a_while("m1", "i");
  CHECK(h.beat("m2", 3).assignment == Owned{{"t", {1}}});
  h.sleep(30s);
  h.beat("m2", 3);
  const Answer back = h.join("m3", {.topics = {{"t"}}, .instance = "i"});
  CHECK(back.epoch == 3);
  CHECK(back.assignment == Owned{{"t", {0}}});
  CHECK(h.group().state() == ConsumerGroupState::kStable);
}

TEST_CASE("a successor with another subscription") {
  Harness h;
  h.topic("a", 1);
  h.topic("b", 1);
  h.join("old", {.topics = {{"a"}}, .instance = "i"});
  h.leave_for_a_while("old", "i");
  h.records();
  const Answer back = h.join("new", {.topics = {{"b"}}, .instance = "i"});
  CHECK(back.epoch == 3);
  CHECK(back.assignment == Owned{{"b", {0}}});
  CHECK(h.records() == Lines{"-current old", "-target old", "-member old", "member new [a] is i", "target new a:0",
                             "current new 0<0 stable a:0@0", "member new [b] is i", "group 3", "target new b:0",
                             "assignment 3", "current new 3<0 stable b:0@3"});
}

TEST_CASE("leaving for good with an instance id") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  CHECK(h.leave("m2", {.instance = "i"}).error == ErrorCode::kFencedInstanceId);
  const Answer left = h.leave("m1", {.instance = "i"});
  CHECK(left.error == ErrorCode::kNone);
  CHECK(left.epoch == -1);
  CHECK(h.join("m2", {.topics = {{"t"}}, .instance = "i"}).error == ErrorCode::kNone);
}

TEST_CASE("one instance id, one member; one member, one instance id") {
  Harness h;
  h.topic("t", 4);
  h.join("m1", {.topics = {{"t"}}, .instance = "a"});
  h.join("m2", {.topics = {{"t"}}, .instance = "b"});
  h.leave_for_a_while("m2", "b");
  // A member cannot take a second place in its group.
  CHECK(h.join("m1", {.topics = {{"t"}}, .instance = "b"}).error == ErrorCode::kInvalidRequest);
  CHECK(h.group().static_members.size() == 2);
  // It may take another name that nobody has; then the first one is free.
  CHECK(h.join("m1", {.topics = {{"t"}}, .instance = "c"}).error == ErrorCode::kNone);
  CHECK(h.group().static_members.size() == 2);
  CHECK(h.group().find_static_member("a") == nullptr);
  CHECK(h.group().find_static_member("c")->id == "m1");
}

TEST_CASE("a dynamic member may become static") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  const Answer again = h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  CHECK(again.epoch == 2);
  CHECK(again.assignment == Owned{{"t", {0, 1}}});
  CHECK(h.group().find_static_member("i")->id == "m1");
}

TEST_CASE("a full group counts the place that a static member left") {
  config::GroupConfig config = exact_config();
  config.consumer_max_size = 1;
  Harness h(config);
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  h.leave_for_a_while("m1", "i");
  // As in Kafka 4.3.1, where the size is looked at first.
  CHECK(h.join("m2", {.topics = {{"t"}}, .instance = "i"}).error == ErrorCode::kGroupMaxSizeReached);
  CHECK(h.join("m1", {.topics = {{"t"}}, .instance = "i"}).error == ErrorCode::kNone);
}

}  // namespace cohort::coordinator::testing
