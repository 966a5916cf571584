#include "tests/unit/coordinator/classic/calls.h"

#include <catch2/catch.hpp>

#include "protocol/messages/consumer_protocol_assignment.h"
#include "protocol/messages/consumer_protocol_subscription.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::coordinator::testing {
namespace {

std::optional<protocol::Text> text(const std::optional<std::string>& from) {
  return from ? std::optional(protocol::Text(*from)) : std::nullopt;
}

template <typename Message>
std::string embedded(const Message& message) {
  protocol::ByteBuffer buffer;
  protocol::ByteWriter writer(buffer);
  writer.int16(1);
  write(writer, message, 1);
  const auto view = buffer.view();
  return {reinterpret_cast<const char*>(view.data()), view.size()};
}

}  // namespace

WaitingJoin Classic::join(const std::string& member, const JoinAs& as) {
  JoinGroup join;
  join.version = as.version;
  join.client = {protocol::Text(as.client), protocol::Text("/127.0.0.1")};
  auto& request = join.request;
  request.group_id = as.group;
  request.session_timeout_ms = as.session_ms;
  request.rebalance_timeout_ms = as.rebalance_ms;
  request.member_id = member;
  request.group_instance_id = text(as.instance);
  request.protocol_type = as.type;
  for (const auto& [name, metadata] : as.protocols) {
    request.protocols.push_back({.name = name, .metadata = protocol::Bytes::copy_of(metadata)});
  }
  return {h_, h_.send(join)};
}

std::string Classic::new_id(const JoinAs& as) {
  const auto told = join({}, as).get();
  REQUIRE(static_cast<ErrorCode>(told.error_code) == ErrorCode::kMemberIdRequired);
  return told.member_id.str();
}

WaitingSync Classic::sync(const std::string& member, std::int32_t generation, const Assignments& assignments,
                          const JoinAs& as) {
  SyncGroup sync;
  sync.version = 5;
  auto& request = sync.request;
  request.group_id = as.group;
  request.generation_id = generation;
  request.member_id = member;
  request.group_instance_id = text(as.instance);
  request.protocol_type = protocol::Text(as.type);
  request.protocol_name = protocol::Text(as.protocols.empty() ? "" : as.protocols.front().first);
  for (const auto& [id, assignment] : assignments) {
    request.assignments.push_back({.member_id = id, .assignment = protocol::Bytes::copy_of(assignment)});
  }
  return {h_, h_.send(sync)};
}

ErrorCode Classic::beat(const std::string& member, std::int32_t generation, const JoinAs& as) {
  ClassicHeartbeat heartbeat;
  heartbeat.request.group_id = as.group;
  heartbeat.request.generation_id = generation;
  heartbeat.request.member_id = member;
  heartbeat.request.group_instance_id = text(as.instance);
  return static_cast<ErrorCode>(std::get<protocol::HeartbeatResponse>(h_.request(heartbeat)).error_code);
}

std::vector<ErrorCode> Classic::leave(const std::vector<std::pair<std::string, std::optional<std::string>>>& members) {
  LeaveGroup leave;
  leave.request.group_id = "g";
  for (const auto& [id, instance] : members) {
    leave.request.members.push_back({.member_id = id, .group_instance_id = text(instance)});
  }
  const auto response = std::get<protocol::LeaveGroupResponse>(h_.request(leave));
  CHECK(response.error_code == 0);
  std::vector<ErrorCode> errors;
  for (const auto& member : response.members) errors.push_back(static_cast<ErrorCode>(member.error_code));
  return errors;
}

ErrorCode Classic::leave(const std::string& member) {
  return leave(std::vector<std::pair<std::string, std::optional<std::string>>>{{member, std::nullopt}}).at(0);
}

protocol::DescribeGroupsResponse::DescribedGroup Classic::describe(const std::string& group) {
  return std::get<ClassicGroupDescriptions>(h_.request(DescribeClassicGroups{{protocol::GroupId(group)}, 6})).at(0);
}

std::vector<std::string> Classic::stable(std::size_t count, const JoinAs& as) {
  std::vector<std::string> members;
  std::vector<WaitingJoin> joins;
  for (std::size_t i = 0; i < count; ++i) {
    members.push_back(new_id(as));
    auto joined = join(members.back(), as);
    if (i > 0) continue;
    h_.sleep(Duration{0});  // the wait of the first member ends
    CHECK(joined.get().generation_id == 1);
    CHECK(sync(members[0], 1, {{members[0], members[0]}}, as).error() == ErrorCode::kNone);
  }
  if (count > 1) rebalance(members, as);
  return members;
}

void Classic::rebalance(const std::vector<std::string>& members, const JoinAs& as) {
  std::vector<WaitingJoin> joins;
  for (const auto& member : members) joins.push_back(join(member, as));
  Assignments assignments;
  for (const auto& member : members) assignments[member] = member;
  std::vector<WaitingSync> syncs;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto joined = joins[i].get();
    REQUIRE(joined.error_code == 0);
    CHECK(joined.leader == members.front());
    syncs.push_back(sync(members[i], joined.generation_id, i == 0 ? assignments : Assignments{}, as));
  }
  for (std::size_t i = 0; i < members.size(); ++i) CHECK(syncs[i].get().assignment.text() == members[i]);
}

config::GroupConfig classic_config() {
  config::GroupConfig config = exact_config();
  config.classic_initial_rebalance_delay = Duration{0};
  return config;
}

std::string consumer_metadata(const std::vector<std::string>& topics, const Owned& owned) {
  protocol::ConsumerProtocolSubscription subscription;
  for (const auto& topic : topics) subscription.topics.emplace_back(topic);
  for (const auto& [topic, partitions] : owned) subscription.owned_partitions.push_back({topic, partitions});
  return embedded(subscription);
}

std::string consumer_assignment(const Owned& partitions) {
  protocol::ConsumerProtocolAssignment assignment;
  for (const auto& [topic, of_topic] : partitions) assignment.assigned_partitions.push_back({topic, of_topic});
  return embedded(assignment);
}

}  // namespace cohort::coordinator::testing
