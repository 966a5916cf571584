// Members of the classic protocol in a consumer group: JoinGroup, SyncGroup, Heartbeat and LeaveGroup that come to a
// group of the other kind while it migrates. A join is a heartbeat with which a member joins; its epoch is the
// generation; what it has to give up or may have is told by the answer to SyncGroup, and that there is something to
// tell by an error of Heartbeat. After Kafka's classicGroupJoinToConsumerGroup and its siblings.
#include <algorithm>
#include <utility>
#include <vector>

#include "protocol/base/log.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/classic/consumer_metadata.h"
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/join.h"
#include "server/coordinator/consumer/migration.h"
#include "server/coordinator/consumer/records.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

// What the member would say if it spoke the consumer protocol.
ConsumerHeartbeat heartbeat_of(const JoinGroup& join, const ClassicProtocols& protocols,
                               const protocol::ConsumerProtocolSubscription& subscription, std::string_view member_id,
                               const MetadataView& metadata) {
  ConsumerHeartbeat heartbeat;
  heartbeat.client = {protocol::Text(join.client.client_id), protocol::Text(join.client.client_host)};
  heartbeat.version = 1;
  heartbeat.classic = classic_metadata(join.request.session_timeout_ms, protocols);
  auto& request = heartbeat.request;
  request.group_id = join.request.group_id;
  request.member_id = member_id;
  request.member_epoch = protocol::kJoinGroupMemberEpoch.value();
  request.instance_id = join.request.group_instance_id;
  request.rebalance_timeout_ms = rebalance_timeout_ms(join);
  request.subscribed_topic_regex = protocol::Text();  // a classic member has none on the server
  request.rack_id = subscription.rack_id;
  request.subscribed_topic_names = subscription.topics;
  request.topic_partitions.emplace();
  for (const auto& owned : subscription.owned_partitions) {
    const TopicView* topic = metadata.find(owned.topic.view());
    if (topic == nullptr) continue;
    request.topic_partitions->push_back({.topic_id = topic->id.value(), .partitions = owned.partitions});
  }
  return heartbeat;
}

// Kafka: getOrMaybeSubscribe…ConsumerGroupMember with useClassicProtocol. No epoch is looked at: a member that joins
// again tells what it has.
std::optional<GroupError> find_joining_member(const Step& step, const ConsumerHeartbeat& heartbeat, bool knows_its_id,
                                              Subscriber& who) {
  const auto& request = heartbeat.request;
  if (!request.instance_id || !knows_its_id) return find_member(step, heartbeat, request.member_id, who);
  who.member = who.group->find_static_member(*request.instance_id);
  if (who.member == nullptr) return unknown_instance(*request.instance_id);
  if (who.member->id == request.member_id) return std::nullopt;
  return fenced_instance(*request.instance_id, *who.member, request.member_id);
}

ErrorCode find_classic_member(const ConsumerGroup& group, std::string_view member_id,
                              const std::optional<protocol::Text>& instance_id, std::int32_t generation,
                              const ConsumerMember*& member) {
  if (instance_id) {
    member = group.find_static_member(*instance_id);
    if (member != nullptr && member->id != member_id) return ErrorCode::kFencedInstanceId;
  } else {
    member = group.find_member(member_id);
  }
  if (member == nullptr || !member->classic) return ErrorCode::kUnknownMemberId;
  return member->epoch.value() == generation ? ErrorCode::kNone : ErrorCode::kIllegalGeneration;
}

// Is there something in its target that another member still has?
bool waits_for_others(const ConsumerGroup& group, const ConsumerMember& member) {
  for (const auto& [topic, partitions] : group.target_of(member.id.value())) {
    const auto assigned = member.assigned.find(topic);
    for (const std::int32_t partition : partitions) {
      const bool has = assigned != member.assigned.end() &&
                       std::ranges::binary_search(assigned->second, partition, {}, &OwnedPartition::partition);
      if (!has && group.partition_epochs.contains({topic, partition})) return true;
    }
  }
  return false;
}

// Would a join bring it further?
bool must_join(const ConsumerGroup& group, const ConsumerMember& member) {
  return member.epoch.value() < group.assignment_epoch.value() || member.state == MemberState::kUnrevokedPartitions ||
         (member.state == MemberState::kUnreleasedPartitions && !waits_for_others(group, member));
}

}  // namespace

void join_consumer_group(const Step& step, ReplyToken token, const JoinGroup& join, const ClassicProtocols& protocols,
                         const ConsumerGroup& group) {
  const auto& request = join.request;
  const std::string_view id = request.group_id;
  // 1. May it join at all?
  if (step.config.consumer_migration_policy == config::MigrationPolicy::kDisabled ||
      request.protocol_type != kConsumerProtocolType || !is_one_known_to_all(group, protocols)) {
    return reply_join_error(step, token, {}, ErrorCode::kInconsistentGroupProtocol, group.last_record);
  }
  // Here all of it counts, not only the topics, which every version has.
  const auto subscription = read_subscription(protocols.front().metadata.view());
  if (!subscription) {
    log::warn(kLogName, "[{}] a join of client '{}' at {} is refused: its subscription cannot be read: {}", id,
              join.client.client_id, join.client.client_host, subscription.error().message);
    return reply_join_error(step, token, {}, ErrorCode::kInconsistentGroupProtocol, group.last_record);
  }
  const bool knows_its_id = !request.member_id.empty();
  const std::string member_id = knows_its_id ? request.member_id.str() : step.context.ids.next_uuid().to_string();
  if (const auto full = check_size(step, group, member_id)) {
    return reply_join_error(step, token, {}, full->code, group.last_record);
  }
  if (!knows_its_id && must_be_told_its_id(join)) {
    return reply_join_error(step, token, member_id, ErrorCode::kMemberIdRequired, group.last_record);
  }

  // 2. The member, and what its join changes. A refusal takes that back.
  const ConsumerHeartbeat heartbeat = heartbeat_of(join, protocols, *subscription, member_id, *step.context.metadata);
  Subscriber who;
  who.group = &group;
  const auto refuse = [&](const GroupError& error) {
    step.output.records.clear();
    step.output.timers.clear();
    reply_join_error(step, token, {}, error.code, group.last_record);
  };
  if (const auto error = find_joining_member(step, heartbeat, knows_its_id, who)) return refuse(*error);
  const auto member = decide_member(step, heartbeat, who);
  if (!member) return refuse(member.error());

  // 3. It has to ask for its assignment next.
  if (who.is_new_member) log::info(kLogName, "[{}] member {} of the classic protocol joins", id, member_id);
  if (who.replaced != nullptr && who.replaced->id != member_id) cancel_timers(step, id, who.replaced->id.value());
  cancel_join_timer(step, id, *who.member);
  restart_session(step, id, *who.member, who.is_new_member || who.member->classic != member->classic);
  start_sync_timer(step, id, *member);
  protocol::JoinGroupResponse response;
  response.generation_id = member->epoch.value();
  response.protocol_type = protocol::Text(kConsumerProtocolType);
  response.protocol_name = protocols.front().name;
  response.member_id = member_id;
  step.output.replies.push_back({token, std::move(response), group.last_record});
}

void sync_consumer_group(const Step& step, ReplyToken token, const SyncGroup& sync, const ConsumerGroup& group) {
  const auto& request = sync.request;
  const std::string_view id = request.group_id;
  const ConsumerMember* member = nullptr;
  protocol::SyncGroupResponse response;
  const auto reply = [&](ErrorCode error) {
    response.error_code = to_wire(error);
    step.output.replies.push_back({token, std::move(response), group.last_record});
  };
  const ErrorCode error =
      find_classic_member(group, request.member_id, request.group_instance_id, request.generation_id, member);
  if (error != ErrorCode::kNone) return reply(error);
  if (member->classic->supported_protocols.empty()) return reply(ErrorCode::kInconsistentGroupProtocol);
  const auto& protocol = member->classic->supported_protocols.front();
  if ((request.protocol_type && *request.protocol_type != kConsumerProtocolType) ||
      (request.protocol_name && *request.protocol_name != protocol.name)) {
    return reply(ErrorCode::kInconsistentGroupProtocol);
  }
  // One that has joined already must give up partitions first, and comes again by itself.
  if (group.assignment_epoch.value() > member->epoch.value() && member->state != MemberState::kUnrevokedPartitions) {
    start_join_timer(step, id, *member);
    return reply(ErrorCode::kRebalanceInProgress);
  }
  cancel_sync_timer(step, id, member->id.value());
  restart_session(step, id, *member, false);
  response.protocol_type = request.protocol_type;
  response.protocol_name = request.protocol_name;
  response.assignment =
      write_assignment(partitions_of(member->assigned), protocol.metadata.view(), *step.context.metadata);
  reply(ErrorCode::kNone);
}

void heartbeat_consumer_group(const Step& step, ReplyToken token, const ClassicHeartbeat& heartbeat,
                              const ConsumerGroup& group) {
  const auto& request = heartbeat.request;
  const ConsumerMember* member = nullptr;
  ErrorCode error =
      find_classic_member(group, request.member_id, request.group_instance_id, request.generation_id, member);
  if (error == ErrorCode::kNone) {
    restart_session(step, request.group_id, *member, false);
    if (must_join(group, *member)) {
      start_join_timer(step, request.group_id, *member);
      error = ErrorCode::kRebalanceInProgress;
    }
  }
  protocol::HeartbeatResponse response;
  response.error_code = to_wire(error);
  step.output.replies.push_back({token, std::move(response), group.last_record});
}

void leave_consumer_group(const Step& step, ReplyToken token, const LeaveGroup& leave, const ConsumerGroup& group) {
  const std::string_view id = leave.request.group_id;
  protocol::LeaveGroupResponse response;
  std::vector<const ConsumerMember*> leaving;
  for (const auto& who : leave.request.members) {
    const ConsumerMember* member = nullptr;
    ErrorCode error = ErrorCode::kNone;
    if (who.group_instance_id) {
      // An administrator names the instance alone.
      member = group.find_static_member(*who.group_instance_id);
      if (member != nullptr && !who.member_id.empty() && member->id != who.member_id.view()) {
        error = ErrorCode::kFencedInstanceId;
      }
    } else {
      member = group.find_member(who.member_id);
    }
    if (member == nullptr) error = ErrorCode::kUnknownMemberId;
    response.members.push_back(
        {.member_id = who.member_id, .group_instance_id = who.group_instance_id, .error_code = to_wire(error)});
    if (error != ErrorCode::kNone || std::ranges::find(leaving, member) != leaving.end()) continue;
    log::info(kLogName, "[{}] member {} leaves; client reason: {}", id, member->id, reason_of(who.reason));
    leaving.push_back(member);
  }
  if (!leaving.empty()) fence_members(step, id, group, leaving);
  step.output.replies.push_back({token, std::move(response), group.last_record});
}

}  // namespace cohort::coordinator
