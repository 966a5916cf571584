// What other families and the admin APIs see of a consumer group.
#include <catch2/catch.hpp>

#include "server/coordinator/consumer/consumer_groups.h"
#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("describe shows epochs, state, subscriptions and both assignments") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .rack = "rack"});
  const auto group = h.describe();
  CHECK(group.error_code == 0);
  CHECK(group.group_id == "g");
  CHECK(group.group_state == "Stable");
  CHECK(group.group_epoch == 2);
  CHECK(group.assignment_epoch == 2);
  CHECK(group.assignor_name == "uniform");
  CHECK(group.authorized_operations == -2147483648);
  REQUIRE(group.members.size() == 1);
  const auto& member = group.members[0];
  CHECK(member.member_id == "m1");
  CHECK_FALSE(member.instance_id);
  CHECK(*member.rack_id == "rack");
  CHECK(member.member_epoch == 2);
  CHECK(member.client_id == "client");
  CHECK(member.client_host == "/127.0.0.1");
  CHECK(member.subscribed_topic_names.size() == 1);
  REQUIRE(member.subscribed_topic_regex);
  CHECK(member.subscribed_topic_regex->empty());
  CHECK(member.member_type == 1);
  REQUIRE(member.assignment.topic_partitions.size() == 1);
  CHECK(member.assignment.topic_partitions[0].topic_name == "t");
  CHECK(member.assignment.topic_partitions[0].partitions == std::vector<std::int32_t>{0, 1});
  CHECK(member.assignment == member.target_assignment);
}

TEST_CASE("a member answers for what it has not given up yet; deleted topics have no name and are left out") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  h.beat("m1", 2, {.owned = Owned{{"t", {0, 1}}}});
  const auto group = h.describe();
  CHECK(group.group_state == "Reconciling");
  CHECK(group.members.at(0).assignment.topic_partitions.at(0).partitions == std::vector<std::int32_t>{0, 1});
  CHECK(group.members.at(0).target_assignment.topic_partitions.at(0).partitions == std::vector<std::int32_t>{0});
  CHECK(group.members.at(1).assignment.topic_partitions.empty());
  h.drop_topic("t");
  CHECK(h.describe().members.at(0).assignment.topic_partitions.empty());
}

TEST_CASE("offset commits are checked against epochs (KAFKA-20066)") {
  Harness h;
  h.topic("t", 2);
  const auto commit = [&h](std::string_view member, std::int32_t epoch, std::int16_t version = 9) {
    const auto allowed = validate_offset_commit(h.group(), member, epoch, version);
    return allowed ? ErrorCode::kNone : allowed.error();
  };
  const protocol::TopicId t = h.metadata().find("t")->id;
  h.join("m1", {.topics = {{"t"}}});
  CHECK(commit("m1", 2) == ErrorCode::kNone);
  CHECK(commit("m1", 3) == ErrorCode::kStaleMemberEpoch);
  CHECK(commit("stranger", 2) == ErrorCode::kUnknownMemberId);
  CHECK(commit("", -1) == ErrorCode::kUnknownMemberId);  // not while it has members
  CHECK(commit("m1", 2, 8) == ErrorCode::kUnsupportedVersion);

  // The epoch goes on, the partitions were assigned with epoch 2.
  h.beat("m1", 2, {.topics = {{"t", "later"}}});
  CHECK(h.member("m1").epoch.value() == 3);
  const auto older = validate_offset_commit(h.group(), "m1", 2, 9);
  REQUIRE(older);
  CHECK(older->validate(t, 0) == ErrorCode::kNone);
  CHECK(older->validate(t, 7) == ErrorCode::kStaleMemberEpoch);
  CHECK(older->validate(protocol::TopicId(), 0) == ErrorCode::kStaleMemberEpoch);
  CHECK(validate_offset_commit(h.group(), "m1", 1, 9)->validate(t, 0) == ErrorCode::kStaleMemberEpoch);

  // Also what it is still giving up.
  h.join("m2", {.topics = {{"t", "later"}}});
  h.beat("m1", 3, {.topics = {{"t", "later", "more"}}, .owned = Owned{{"t", {0, 1}}}});
  CHECK(h.member("m1").state == MemberState::kUnrevokedPartitions);
  CHECK(validate_offset_commit(h.group(), "m1", 2, 9)->validate(t, 1) == ErrorCode::kNone);

  h.leave("m1");
  h.leave("m2");
  CHECK(commit("", -1) == ErrorCode::kNone);
  CHECK(commit("m1", 2) == ErrorCode::kUnknownMemberId);
}

TEST_CASE("offset fetches want the exact epoch or no member") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  CHECK(validate_offset_fetch(h.group(), std::nullopt, -1) == ErrorCode::kNone);
  CHECK(validate_offset_fetch(h.group(), "m1", 2) == ErrorCode::kNone);
  CHECK(validate_offset_fetch(h.group(), "m1", 0) == ErrorCode::kStaleMemberEpoch);
  CHECK(validate_offset_fetch(h.group(), "stranger", 2) == ErrorCode::kUnknownMemberId);
  CHECK(validate_offset_fetch(h.group(), std::nullopt, 2) == ErrorCode::kUnknownMemberId);
}

TEST_CASE("offsets of subscribed topics may not be deleted") {
  Harness h;
  h.topic("t", 1);
  h.topic("u", 1);
  h.join("m1", {.topics = {{"t"}}, .regex = "u"});
  h.run_jobs();
  CHECK(validate_offset_delete(h.group(), "t") == ErrorCode::kGroupSubscribedToTopic);
  CHECK(validate_offset_delete(h.group(), "u") == ErrorCode::kGroupSubscribedToTopic);
  CHECK(validate_offset_delete(h.group(), "v") == ErrorCode::kNone);
  h.leave("m1");
  CHECK(validate_offset_delete(h.group(), "t") == ErrorCode::kNone);
}

}  // namespace cohort::coordinator::testing
