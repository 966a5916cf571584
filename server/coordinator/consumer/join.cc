#include "server/coordinator/consumer/join.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/log.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/migration.h"
#include "server/coordinator/consumer/records.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/core/limits.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

bool is_joining(const ConsumerHeartbeat& heartbeat) {
  return heartbeat.request.member_epoch == protocol::kJoinGroupMemberEpoch.value();
}

// Does the member have all that it claims to have?
bool is_subset(const std::optional<std::vector<protocol::ConsumerGroupHeartbeatRequest::TopicPartitions>>& claimed,
               const OwnedPartitions& assigned) {
  if (!claimed) return false;
  return std::ranges::all_of(*claimed, [&assigned](const auto& topic) {
    const auto it = assigned.find(protocol::TopicId(topic.topic_id));
    return it != assigned.end() && std::ranges::all_of(topic.partitions, [&it](std::int32_t partition) {
             return std::ranges::binary_search(it->second, partition, {}, &OwnedPartition::partition);
           });
  });
}

std::optional<GroupError> check_epoch(const ConsumerMember& member, const ConsumerHeartbeat& heartbeat) {
  const protocol::MemberEpoch received(heartbeat.request.member_epoch);
  if (received == protocol::kJoinGroupMemberEpoch || received == member.epoch) return std::nullopt;
  // The reply that brought the present epoch may have been lost.
  if (received < member.epoch && received == member.previous_epoch &&
      is_subset(heartbeat.request.topic_partitions, member.assigned)) {
    return std::nullopt;
  }
  return GroupError{ErrorCode::kFencedMemberEpoch,
                    fmt::format("The member's epoch is {}, not {}. It must abandon all its partitions and rejoin.",
                                member.epoch, received)};
}

void make_member(Subscriber& who, std::string_view member_id) {
  who.made_member.emplace();
  who.made_member->id = protocol::MemberId(std::string(member_id));
  who.member = &*who.made_member;
  who.is_new_member = true;
}

std::optional<GroupError> find_dynamic_member(const ConsumerHeartbeat& heartbeat, std::string_view member_id,
                                              Subscriber& who) {
  who.member = who.group->find_member(member_id);
  if (who.member == nullptr) {
    if (!is_joining(heartbeat)) return unknown_member(heartbeat.request.group_id, member_id);
    make_member(who, member_id);
    return std::nullopt;
  }
  return check_epoch(*who.member, heartbeat);
}

// The new member takes over all that the one that left for a while had, under its own id.
void replace_static_member(const Step& step, std::string_view group_id, const ConsumerMember& old,
                           std::string_view member_id, Subscriber& who) {
  who.replaced = &old;
  who.made_member = old;
  who.made_member->id = protocol::MemberId(std::string(member_id));
  who.made_member->epoch = protocol::kJoinGroupMemberEpoch;
  who.made_member->previous_epoch = protocol::kJoinGroupMemberEpoch;
  who.member = &*who.made_member;
  who.is_new_member = true;
  append_member_tombstones(group_id, old.id.value(), step.output);
  step.output.records.push_back(member_record(group_id, *who.member));
  step.output.records.push_back(target_record(group_id, member_id, who.group->target_of(old.id.value())));
  step.output.records.push_back(current_assignment_record(group_id, *who.member));
  log::info(kLogName, "[{}] member {} replaces static member {}", group_id, member_id, old.id);
}

std::optional<GroupError> join_static_member(const Step& step, const ConsumerHeartbeat& heartbeat,
                                             std::string_view member_id, Subscriber& who) {
  const std::string_view group_id = heartbeat.request.group_id;
  const std::string_view instance_id = *heartbeat.request.instance_id;
  const ConsumerMember* holder = who.group->find_static_member(instance_id);
  if (holder == nullptr) {
    who.member = who.group->find_member(member_id);
    if (who.member == nullptr) make_member(who, member_id);
    return std::nullopt;
  }
  if (holder->id != member_id && who.group->find_member(member_id) != nullptr) {
    // Kafka 4.3.1 lets it take the place of both, and the partitions of one of them stay with nobody.
    return GroupError{ErrorCode::kInvalidRequest,
                      fmt::format("Member {} is in the group already, not as {}.", member_id, instance_id)};
  }
  if (holder->epoch == protocol::kLeaveGroupStaticMemberEpoch || holder->classic || heartbeat.classic) {
    replace_static_member(step, group_id, *holder, member_id, who);
    return std::nullopt;
  }
  // The reply to its first join was lost. Kafka 4.3.1 answers 111 here, from which the member cannot recover
  // (apache/kafka#23542); but it is the holder itself, so it may rejoin like any other member.
  if (holder->id == member_id) {
    who.member = holder;
    return std::nullopt;
  }
  return GroupError{ErrorCode::kUnreleasedInstanceId,
                    fmt::format("Static member {} with instance id {} cannot join: the instance id is owned by {}.",
                                member_id, instance_id, holder->id)};
}

}  // namespace

std::optional<GroupError> find_group(const Step& step, const ConsumerHeartbeat& heartbeat, Subscriber& who) {
  const std::string_view id = heartbeat.request.group_id;
  who.group = step.state.find_consumer_group(id);
  if (who.group != nullptr) return std::nullopt;
  if (!is_joining(heartbeat)) return group_not_found(id);
  if (step.state.foreign_groups.contains(id)) return group_not_found(id);
  const bool was_classic = step.state.classic_groups.contains(id);
  if (was_classic && validate_delete(round_of(step.state, id)) != ErrorCode::kNone) {
    auto upgraded = upgrade(step, id);
    if (!upgraded) return std::move(upgraded.error());
    who.upgraded = true;
    who.group = &who.made_group.emplace(std::move(*upgraded));
    return std::nullopt;
  }
  if (!was_classic && step.state.offsets.find(id) == nullptr) {
    if (auto why = why_no_new_group(step, id)) return GroupError{ErrorCode::kPolicyViolation, *std::move(why)};
  }
  if (was_classic) {
    log::info(kLogName, "[{}] the empty classic group becomes a consumer group", id);
    delete_classic_group(step, id);
  }
  who.group = &who.made_group.emplace();
  return std::nullopt;
}

std::optional<GroupError> find_member(const Step& step, const ConsumerHeartbeat& heartbeat, std::string_view member_id,
                                      Subscriber& who) {
  const auto& request = heartbeat.request;
  if (!request.instance_id) return find_dynamic_member(heartbeat, member_id, who);
  if (is_joining(heartbeat)) return join_static_member(step, heartbeat, member_id, who);
  who.member = who.group->find_static_member(*request.instance_id);
  if (who.member == nullptr) return unknown_instance(*request.instance_id);
  if (who.member->id != member_id) return fenced_instance(*request.instance_id, *who.member, member_id);
  return check_epoch(*who.member, heartbeat);
}

}  // namespace cohort::coordinator
