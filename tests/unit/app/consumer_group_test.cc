// A consumer group from its first member to its end, as its members and an administrator see it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "protocol/messages/consumer_group_describe_request.h"
#include "protocol/messages/consumer_group_describe_response.h"
#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/delete_groups_request.h"
#include "protocol/messages/delete_groups_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

constexpr std::int16_t kVersion = 1;

// A member as a client library keeps it: its epoch, and the partitions of the one topic that it owns.
struct Member {
  Client& client;
  std::string id;
  protocol::Uuid topic;
  std::string group = "g";
  std::int32_t epoch = 0;
  std::set<std::int32_t> owned = {};

  ConsumerGroupHeartbeatRequest request(bool full) const {
    ConsumerGroupHeartbeatRequest out;
    out.group_id = group;
    out.member_id = id;
    out.member_epoch = epoch;
    if (!full) return out;
    out.rebalance_timeout_ms = 60'000;
    out.subscribed_topic_names = {{Text("t")}};
    out.topic_partitions.emplace();
    if (owned.empty()) return out;
    auto& partitions = out.topic_partitions->emplace_back();
    partitions.topic_id = topic;
    partitions.partitions.assign(owned.begin(), owned.end());
    return out;
  }
  // Takes over what the answer says.
  ErrorCode heartbeat(bool full) {
    const auto response = client.ask<ConsumerGroupHeartbeatResponse>(request(full), kVersion);
    const auto error = static_cast<ErrorCode>(response.error_code);
    if (error != ErrorCode::kNone) return error;
    epoch = response.member_epoch;
    if (!response.assignment) return error;
    owned.clear();
    for (const auto& assigned : response.assignment->topic_partitions) {
      CHECK(assigned.topic_id == topic);
      owned.insert(assigned.partitions.begin(), assigned.partitions.end());
    }
    return error;
  }
};

std::vector<std::string> at_once() {
  return {"group.consumer.assignment.interval.ms=0"};
}

TEST_CASE("a consumer group shares its partitions among those who are there") {
  storage::MemFs fs;
  Machine machine(fs, at_once());
  Client client(machine);
  const protocol::Uuid topic = create_topic(client, "t", 4);
  const std::set<std::int32_t> all{0, 1, 2, 3};
  Member first{client, protocol::Uuid(1, 1).to_string(), topic};
  Member second{client, protocol::Uuid(2, 2).to_string(), topic};

  CHECK(first.heartbeat(true) == ErrorCode::kNone);
  CHECK(first.owned == all);
  const std::int32_t alone = first.epoch;
  CHECK(first.heartbeat(false) == ErrorCode::kNone);
  CHECK(first.epoch == alone);

  // The second gets what the first has given up, and no earlier.
  CHECK(second.heartbeat(true) == ErrorCode::kNone);
  CHECK(second.owned.empty());
  CHECK(first.heartbeat(false) == ErrorCode::kNone);
  CHECK(first.owned.size() == 2);
  CHECK(first.epoch == alone);
  CHECK(second.heartbeat(false) == ErrorCode::kNone);
  CHECK(second.owned.empty());
  CHECK(first.heartbeat(true) == ErrorCode::kNone);
  CHECK(first.epoch == alone + 1);
  CHECK(second.heartbeat(false) == ErrorCode::kNone);
  CHECK(second.owned.size() == 2);
  std::set<std::int32_t> together = first.owned;
  together.insert(second.owned.begin(), second.owned.end());
  CHECK(together == all);

  // Who leaves leaves everything to the other.
  const auto leave = [&](Member& member) {
    member.epoch = -1;
    const auto left = client.ask<ConsumerGroupHeartbeatResponse>(member.request(false), kVersion);
    CHECK(left.error_code == to_wire(ErrorCode::kNone));
    CHECK(left.member_epoch == -1);
    CHECK(left.heartbeat_interval_ms == 0);
  };
  leave(first);
  CHECK(second.heartbeat(false) == ErrorCode::kNone);
  CHECK(second.owned == all);
  leave(second);
}

TEST_CASE("members that the group does not know") {
  storage::MemFs fs;
  Machine machine(fs, at_once());
  Client client(machine);
  const protocol::Uuid topic = create_topic(client, "t");
  Member member{client, protocol::Uuid(1, 1).to_string(), topic};
  member.epoch = 1;
  CHECK(member.heartbeat(false) == ErrorCode::kGroupIdNotFound);
  member.epoch = 0;
  REQUIRE(member.heartbeat(true) == ErrorCode::kNone);
  Member stranger{client, protocol::Uuid(2, 2).to_string(), topic};
  stranger.epoch = 1;
  CHECK(stranger.heartbeat(false) == ErrorCode::kUnknownMemberId);
  member.epoch += 1;
  CHECK(member.heartbeat(false) == ErrorCode::kFencedMemberEpoch);
  // Who was fenced gives up everything and joins anew; with partitions in hand it may not.
  member.epoch = 0;
  CHECK(member.heartbeat(true) == ErrorCode::kInvalidRequest);
  member.owned.clear();
  CHECK(member.heartbeat(true) == ErrorCode::kNone);
}

TEST_CASE("heartbeats that say nonsense") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const Member member{client, protocol::Uuid(1, 1).to_string(), {}};
  const auto error_of = [&](const auto& change) {
    ConsumerGroupHeartbeatRequest request = member.request(true);
    change(request);
    const auto response = client.ask<ConsumerGroupHeartbeatResponse>(request, kVersion);
    CHECK(response.member_id == std::nullopt);
    return static_cast<ErrorCode>(response.error_code);
  };
  CHECK(error_of([](auto& r) { r.group_id = ""; }) == ErrorCode::kInvalidRequest);
  CHECK(error_of([](auto& r) { r.member_id = ""; }) == ErrorCode::kInvalidRequest);
  CHECK(error_of([](auto& r) { r.rebalance_timeout_ms = -1; }) == ErrorCode::kInvalidRequest);
  CHECK(error_of([](auto& r) { r.subscribed_topic_names.reset(); }) == ErrorCode::kInvalidRequest);
  CHECK(error_of([](auto& r) { r.topic_partitions.reset(); }) == ErrorCode::kInvalidRequest);
  CHECK(error_of([](auto& r) { r.server_assignor = Text("mine"); }) == ErrorCode::kUnsupportedAssignor);
  CHECK(error_of([](auto& r) { r.subscribed_topic_regex = Text("("); }) == ErrorCode::kInvalidRegularExpression);
}

TEST_CASE("a group in the eyes of an administrator, over a restart") {
  storage::MemFs fs;
  protocol::Uuid topic;
  const std::string id = protocol::Uuid(1, 1).to_string();
  {
    Machine machine(fs, at_once());
    Client client(machine);
    topic = create_topic(client, "t", 2);
    Member member{client, id, topic};
    REQUIRE(member.heartbeat(true) == ErrorCode::kNone);
  }
  Machine machine(fs, at_once());
  Client client(machine);
  protocol::ConsumerGroupDescribeRequest describe;
  describe.group_ids = {Text("g"), Text("nobody"), Text("")};
  std::map<std::string, protocol::ConsumerGroupDescribeResponse::DescribedGroup> groups;
  for (const auto& group : client.ask<protocol::ConsumerGroupDescribeResponse>(describe, 1).groups) {
    groups[group.group_id.str()] = group;
  }
  REQUIRE(groups.size() == 3);
  CHECK(groups[""].error_code == to_wire(ErrorCode::kInvalidGroupId));
  CHECK(groups["nobody"].error_code == to_wire(ErrorCode::kGroupIdNotFound));
  const auto& group = groups["g"];
  CHECK(group.error_code == to_wire(ErrorCode::kNone));
  CHECK(group.group_state == "Stable");
  REQUIRE(group.members.size() == 1);
  CHECK(group.members[0].member_id == id);
  CHECK(group.members[0].client_id == "test");
  CHECK(group.members[0].client_host == "/127.0.0.1");
  CHECK(group.members[0].member_type == 1);
  REQUIRE(group.members[0].assignment.topic_partitions.size() == 1);
  CHECK(group.members[0].assignment.topic_partitions[0].topic_name == "t");
  CHECK(group.members[0].assignment.topic_partitions[0].partitions == std::vector{0, 1});

  protocol::ListGroupsRequest list;
  list.types_filter = {Text("CONSUMER")};
  const auto listed = client.ask<protocol::ListGroupsResponse>(list, 5);
  REQUIRE(listed.groups.size() == 1);
  CHECK(listed.groups[0].group_id == "g");
  CHECK(listed.groups[0].group_state == "Stable");
  CHECK(listed.groups[0].group_type == "consumer");

  // A group with a member stays, one without goes.
  protocol::DeleteGroupsRequest remove;
  remove.groups_names = {Text("g")};
  const auto error_of_delete = [&] {
    return static_cast<ErrorCode>(client.ask<protocol::DeleteGroupsResponse>(remove, 2).results.at(0).error_code);
  };
  CHECK(error_of_delete() == ErrorCode::kNonEmptyGroup);
  Member member{client, id, topic};
  member.epoch = -1;
  client.ask<ConsumerGroupHeartbeatResponse>(member.request(false), kVersion);
  CHECK(error_of_delete() == ErrorCode::kNone);
  CHECK(error_of_delete() == ErrorCode::kGroupIdNotFound);
}

}  // namespace
}  // namespace cohort::app
