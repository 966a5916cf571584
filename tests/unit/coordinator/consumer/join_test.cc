// Joining: the conformance scenarios join-and-assignment, member-id-by-server, unknown-member-and-group, assignors,
// max-size, and what is refused without a look at any group.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("the first member makes the group at epoch 2 and gets all partitions") {
  Harness h;
  h.topic("t", 3);
  const Answer joined = h.join("m1", {.topics = {{"t"}}});
  CHECK(joined.error == ErrorCode::kNone);
  CHECK_FALSE(joined.message);
  CHECK(joined.member == "m1");
  CHECK(joined.epoch == 2);
  CHECK(joined.interval_ms == 5000);
  CHECK(joined.assignment == Owned{{"t", {0, 1, 2}}});
  CHECK(h.records() ==
        Lines{"member m1 [t]", "group 2", "target m1 t:0,1,2", "assignment 2", "current m1 2<0 stable t:0@2,1@2,2@2"});
  CHECK(h.group().state() == ConsumerGroupState::kStable);
  CHECK(h.deadline(TimerKind::kConsumerSession, "m1") == 45s);
}

TEST_CASE("later replies are short unless the request is full") {
  Harness h;
  h.topic("t", 3);
  h.join("m1", {.topics = {{"t"}}});
  h.records();
  CHECK_FALSE(h.beat("m1", 2).assignment);
  CHECK_FALSE(h.beat("m1", 2, {.owned = Owned{{"t", {0, 1, 2}}}}).assignment);
  CHECK_FALSE(h.beat("m1", 2, {.topics = {{"t"}}, .rebalance_timeout_ms = 60'000}).assignment);
  const Answer full = h.beat("m1", 2, {.topics = {{"t"}}, .owned = Owned{}, .rebalance_timeout_ms = 60'000});
  CHECK(full.epoch == 2);
  CHECK(full.assignment == Owned{{"t", {0, 1, 2}}});
  CHECK(h.records().empty());
}

TEST_CASE("a reply rests on the last record of its group") {
  Harness h;
  h.topic("t", 1);
  CHECK(h.beat("m1", 2).after == -1);
  h.join("m1", {.topics = {{"t"}}});
  const std::int64_t mine = h.last_offset();
  h.join("m2", {.topics = {{"t"}}, .group = "other"});
  CHECK(h.beat("m1", 2).after == mine);
  CHECK(h.beat("stranger", 2).after == mine);
  CHECK(h.beat("m1", 2, {.group = "none"}).after == -1);
}

TEST_CASE("a member without subscription is a member") {
  Harness h;
  const Answer joined = h.join("m1", {.topics = {std::vector<std::string>()}});
  CHECK(joined.error == ErrorCode::kNone);
  CHECK(joined.assignment == Owned{});
  CHECK(joined.epoch == 1);  // nothing that a new target could change
  CHECK(h.group().members.size() == 1);
}

TEST_CASE("a topic that does not exist may be subscribed to, and its creation brings it") {
  Harness h;
  CHECK(h.join("m1", {.topics = {{"later"}}}).epoch == 2);
  h.topic("later", 2);
  const Answer after = h.beat("m1", 2);
  CHECK(after.epoch == 3);
  CHECK(after.assignment == Owned{{"later", {0, 1}}});
  h.topic("later", 3);
  CHECK(h.beat("m1", 3).assignment == Owned{{"later", {0, 1, 2}}});
}

TEST_CASE("version 0 lets the server make the member id") {
  Harness h;
  h.topic("t", 1);
  const Answer joined = h.join("", {.topics = {{"t"}}, .version = 0});
  REQUIRE(joined.member);
  CHECK(joined.member->size() == 22);
  CHECK(h.beat(*joined.member, 2, {.version = 0}).epoch == 2);
  const Answer refused = h.join("", {.topics = {{"t"}}});
  CHECK(refused.error == ErrorCode::kInvalidRequest);
  CHECK(refused.message == "MemberId can't be empty.");
  CHECK_FALSE(refused.member);
}

TEST_CASE("strangers and missing groups") {
  Harness h;
  h.topic("t", 1);
  CHECK(h.beat("stranger", 2).error == ErrorCode::kGroupIdNotFound);
  CHECK(h.leave("stranger").error == ErrorCode::kGroupIdNotFound);
  h.join("m1", {.topics = {{"t"}}});
  const Answer unknown = h.beat("stranger", 2);
  CHECK(unknown.error == ErrorCode::kUnknownMemberId);
  CHECK_FALSE(unknown.member);
  CHECK(unknown.epoch == 0);
  CHECK(unknown.interval_ms == 0);
  CHECK(h.leave("stranger").error == ErrorCode::kUnknownMemberId);
}

TEST_CASE("senseless requests are refused with Kafka's words, before any group is looked at") {
  Harness h;
  h.topic("t", 1);
  const auto refused = [&h](Said said, const std::string& words, std::int32_t epoch = 0, std::string member = "m1") {
    const Answer answer = h.beat(member, epoch, said);
    CHECK(answer.error == ErrorCode::kInvalidRequest);
    CHECK(answer.message == words);
    CHECK(answer.epoch == 0);
    CHECK(answer.after == -1);
  };
  const Said good{.topics = {{"t"}}, .owned = Owned{}, .rebalance_timeout_ms = 1000};
  Said said = good;
  said.group = "";
  refused(said, "GroupId can't be empty.");
  said = good;
  said.instance = "";
  refused(said, "InstanceId can't be empty.");
  said = good;
  said.rack = "";
  refused(said, "RackId can't be empty.");
  said = good;
  said.rebalance_timeout_ms = -1;
  refused(said, "RebalanceTimeoutMs must be provided in first request.");
  said = good;
  said.owned.reset();
  refused(said, "TopicPartitions must be empty when (re-)joining.");
  said = good;
  said.owned = Owned{{"t", {0}}};
  refused(said, "TopicPartitions must be empty when (re-)joining.");
  said = good;
  said.topics.reset();
  refused(said, "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  refused({}, "MemberEpoch is invalid.", -3);
  refused({}, "InstanceId can't be null.", -2);
  refused({.version = 0}, "MemberId can't be empty.", 2, "");
  refused({.version = 0}, "MemberId can't be empty.", -1, "");
  CHECK(h.records().empty());
  CHECK(h.state().consumer_groups.empty());
}

TEST_CASE("assignors: the one that most members ask for, and only those that are configured") {
  Harness h;
  h.topic("a", 2);
  h.topic("b", 2);
  CHECK(h.join("m1", {.topics = {{"a", "b"}}, .assignor = "magic"}).error == ErrorCode::kUnsupportedAssignor);
  CHECK(h.join("m1", {.topics = {{"a", "b"}}, .assignor = "range"}).epoch == 2);
  CHECK(h.join("m2", {.topics = {{"a", "b"}}, .assignor = "range"}).epoch == 3);
  const Answer kept = h.beat("m1", 2, {.owned = Owned{{"a", {0, 1}}, {"b", {0, 1}}}});
  REQUIRE(kept.assignment);
  CHECK(kept.assignment->at("a").size() == 1);
  CHECK(kept.assignment->at("b").size() == 1);
  CHECK(h.describe().assignor_name == "range");
  h.leave("m1");
  h.beat("m2", 3, {.assignor = "uniform"});
  CHECK(h.describe().assignor_name == "uniform");
}

TEST_CASE("a full group takes no new member, but lets its members rejoin") {
  config::GroupConfig config = exact_config();
  config.consumer_max_size = 2;
  Harness h(config);
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  h.records();
  CHECK(h.join("m3", {.topics = {{"t"}}}).error == ErrorCode::kGroupMaxSizeReached);
  CHECK(h.join("", {.topics = {{"t"}}, .version = 0}).error == ErrorCode::kGroupMaxSizeReached);
  CHECK(h.beat("m3", 2).error == ErrorCode::kGroupMaxSizeReached);  // Kafka looks at the size first
  CHECK(h.records().empty());
  CHECK(h.join("m1", {.topics = {{"t"}}}).error == ErrorCode::kNone);
}

TEST_CASE("what a client says of itself is kept, and only a change is written") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}, .rack = "r1", .client_id = "one"});
  CHECK(h.member("m1").rack_id == "r1");
  CHECK(h.member("m1").client_id == "one");
  CHECK(h.member("m1").client_host == "/127.0.0.1");
  CHECK(h.member("m1").rebalance_timeout_ms == 60'000);
  h.records();
  h.beat("m1", 2, {.rack = "r1", .client_id = "one"});
  CHECK(h.records().empty());
  CHECK(h.beat("m1", 2, {.rack = "r2", .client_id = "two"}).epoch == 2);
  CHECK(h.records() == Lines{"member m1 [t]"});
  CHECK(h.member("m1").rack_id == "r2");
  CHECK(h.member("m1").client_id == "two");
}

TEST_CASE("the order and repetition of topic names mean nothing") {
  Harness h;
  h.topic("a", 1);
  h.topic("b", 1);
  h.join("m1", {.topics = {{"b", "a", "b"}}});
  h.records();
  CHECK(h.beat("m1", 2, {.topics = {{"a", "b"}}}).epoch == 2);
  CHECK(h.beat("m1", 2, {.topics = {{"b", "b", "a"}}}).epoch == 2);
  CHECK(h.records().empty());
}

}  // namespace cohort::coordinator::testing
