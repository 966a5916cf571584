#include "server/coordinator/consumer/apply.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/coordinator/consumer/counts.h"

namespace cohort::coordinator {
namespace {

std::unexpected<Error> contradiction(std::string_view group, std::string_view what) {
  return fail(ErrorKind::kCorrupt,
              fmt::format("a record of consumer group '{}' contradicts its state: {}", group, what));
}

// The group of a record, made when the record has a value. Null: a tombstone of nothing.
Result<ConsumerGroup*> group_for(GroupState& state, std::string_view id, bool create, std::int64_t offset) {
  const auto it = state.consumer_groups.find(id);
  ConsumerGroup* group = it != state.consumer_groups.end() ? &it->second : nullptr;
  if (group == nullptr && create) {
    if (state.foreign_groups.contains(id) || state.classic_groups.contains(id)) {
      return contradiction(id, "the id belongs to a group of another type");
    }
    group = &state.consumer_groups[id];
  }
  if (group != nullptr) group->last_record = offset;
  return group;
}

std::optional<std::string> optional_string(const std::optional<protocol::Text>& text) {
  if (!text) return std::nullopt;
  return text->str();
}

// --- what is derived from members ---

void remove_subscription(ConsumerGroup& group, const ConsumerMember& member) {
  for (const auto& topic : member.subscribed_topics) add_by_name(group.subscribed_topics, topic, -1);
  if (!member.subscribed_regex.empty()) add_count(group.regex_subscribers, member.subscribed_regex, -1);
  if (member.server_assignor) add_count(group.assignor_votes, *member.server_assignor, -1);
  if (!member.instance_id) return;
  const auto it = group.static_members.find(*member.instance_id);
  if (it != group.static_members.end() && it->second == member.id) group.static_members.erase(it);
}

void add_subscription(ConsumerGroup& group, const ConsumerMember& member) {
  for (const auto& topic : member.subscribed_topics) add_by_name(group.subscribed_topics, topic, 1);
  if (!member.subscribed_regex.empty()) add_count(group.regex_subscribers, member.subscribed_regex, 1);
  if (member.server_assignor) add_count(group.assignor_votes, *member.server_assignor, 1);
  if (member.instance_id) group.static_members.insert_or_assign(*member.instance_id, member.id);
}

void release_partitions(ConsumerGroup& group, const OwnedPartitions& owned, protocol::MemberEpoch epoch) {
  for (const auto& [topic, partitions] : owned) {
    for (const OwnedPartition& partition : partitions) {
      const auto it = group.partition_epochs.find({topic, partition.partition});
      // Another owner is possible while a compacted log is replayed.
      if (it != group.partition_epochs.end() && it->second == epoch) group.partition_epochs.erase(it);
    }
  }
}

// False when another member has one of them at this epoch or a later one: no partition has two owners.
bool take_partitions(ConsumerGroup& group, const OwnedPartitions& owned, protocol::MemberEpoch epoch) {
  for (const auto& [topic, partitions] : owned) {
    for (const OwnedPartition& partition : partitions) {
      const auto [it, free] = group.partition_epochs.try_emplace({topic, partition.partition}, epoch);
      if (!free && it->second >= epoch) return false;
      it->second = epoch;
    }
  }
  return true;
}

using CurrentAssignmentValue = protocol::ConsumerGroupCurrentMemberAssignmentValue;

OwnedPartitions owned_partitions(const std::vector<CurrentAssignmentValue::TopicPartitions>& topics,
                                 std::int32_t member_epoch) {
  OwnedPartitions result;
  for (const auto& topic : topics) {
    if (topic.partitions.empty()) continue;
    // Records before KAFKA-20066 have no epochs per partition, and a static member that has left for a while has -2.
    const auto& epochs = topic.assignment_epochs;
    const bool usable = epochs && epochs->size() == topic.partitions.size();
    std::vector<OwnedPartition>& partitions = result[protocol::TopicId(topic.topic_id)];
    for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
      const std::int32_t epoch = usable ? (*epochs)[i] : std::max(member_epoch, 0);
      partitions.push_back({topic.partitions[i], protocol::MemberEpoch(epoch)});
    }
    std::ranges::sort(partitions, {}, &OwnedPartition::partition);
    const auto doubles = std::ranges::unique(partitions, {}, &OwnedPartition::partition);
    partitions.erase(doubles.begin(), doubles.end());
  }
  return result;
}

MemberState member_state(std::int8_t value) {
  switch (value) {
    case std::to_underlying(MemberState::kStable):
      return MemberState::kStable;
    case std::to_underlying(MemberState::kUnrevokedPartitions):
      return MemberState::kUnrevokedPartitions;
    case std::to_underlying(MemberState::kUnreleasedPartitions):
      return MemberState::kUnreleasedPartitions;
    default:
      return MemberState::kUnknown;
  }
}

ConsumerMember& member_for(ConsumerGroup& group, std::string_view id) {
  const auto it = group.members.find(id);
  if (it != group.members.end()) return it->second;
  ConsumerMember& member = group.members[id];
  member.id = protocol::MemberId(std::string(id));
  return member;
}

}  // namespace

Result<void> apply(GroupState& state, const protocol::ConsumerGroupMetadataRecord& record, std::int64_t offset) {
  const std::string_view id = record.key.group_id;
  auto group = group_for(state, id, record.value.has_value(), offset);
  if (!group) return std::unexpected(std::move(group.error()));
  if (*group == nullptr) return {};
  if (record.value) {
    (*group)->epoch = protocol::GroupEpoch(record.value->epoch);
    (*group)->metadata_hash = record.value->metadata_hash;
    return {};
  }
  if (!(*group)->members.empty()) return contradiction(id, "it is deleted while it has members");
  if (!(*group)->target.empty()) return contradiction(id, "it is deleted while it has a target assignment");
  if ((*group)->assignment_epoch.value() != -1) return contradiction(id, "it is deleted before its assignment epoch");
  state.consumer_groups.erase(state.consumer_groups.find(id));
  state.last_deletion = offset;
  return {};
}

Result<void> apply(GroupState& state, const protocol::ConsumerGroupPartitionMetadataRecord& record,
                   std::int64_t offset) {
  auto group = group_for(state, record.key.group_id, record.value.has_value(), offset);
  if (!group) return std::unexpected(std::move(group.error()));
  if (*group != nullptr) (*group)->has_partition_metadata_record = record.value.has_value();
  return {};
}

Result<void> apply(GroupState& state, const protocol::ConsumerGroupMemberMetadataRecord& record, std::int64_t offset) {
  const std::string_view id = record.key.group_id;
  auto group = group_for(state, id, record.value.has_value(), offset);
  if (!group) return std::unexpected(std::move(group.error()));
  if (*group == nullptr) return {};

  if (!record.value) {
    const auto it = (*group)->members.find(std::string_view(record.key.member_id));
    if (it == (*group)->members.end()) return {};
    if (it->second.epoch != protocol::kLeaveGroupMemberEpoch) {
      return contradiction(id, "a member is deleted before its current assignment");
    }
    if ((*group)->target.contains(it->first)) return contradiction(id, "a member is deleted before its target");
    remove_subscription(**group, it->second);
    (*group)->members.erase(it);
    return {};
  }

  ConsumerMember& member = member_for(**group, record.key.member_id);
  remove_subscription(**group, member);
  const protocol::ConsumerGroupMemberMetadataValue& value = *record.value;
  member.instance_id.reset();
  if (value.instance_id) member.instance_id = protocol::InstanceId(value.instance_id->str());
  member.rack_id = optional_string(value.rack_id);
  member.client_id = value.client_id.str();
  member.client_host = value.client_host.str();
  member.subscribed_topics = sorted_names(value.subscribed_topic_names);
  member.subscribed_regex = value.subscribed_topic_regex ? value.subscribed_topic_regex->str() : std::string();
  member.rebalance_timeout_ms = value.rebalance_timeout_ms;
  member.server_assignor = optional_string(value.server_assignor);
  member.classic = value.classic_member_metadata;
  add_subscription(**group, member);
  return {};
}

Result<void> apply(GroupState& state, const protocol::ConsumerGroupTargetAssignmentMetadataRecord& record,
                   std::int64_t offset) {
  const std::string_view id = record.key.group_id;
  auto group = group_for(state, id, record.value.has_value(), offset);
  if (!group) return std::unexpected(std::move(group.error()));
  if (*group == nullptr) return {};
  if (!record.value && !(*group)->target.empty()) {
    return contradiction(id, "its assignment epoch is deleted while it has a target assignment");
  }
  (*group)->assignment_epoch = protocol::GroupEpoch(record.value ? record.value->assignment_epoch : -1);
  (*group)->assignment_timestamp_ms = record.value ? record.value->assignment_timestamp : 0;
  return {};
}

Result<void> apply(GroupState& state, const protocol::ConsumerGroupTargetAssignmentMemberRecord& record,
                   std::int64_t offset) {
  auto group = group_for(state, record.key.group_id, record.value.has_value(), offset);
  if (!group) return std::unexpected(std::move(group.error()));
  if (*group == nullptr) return {};
  if (!record.value) {
    const auto it = (*group)->target.find(std::string_view(record.key.member_id));
    if (it != (*group)->target.end()) (*group)->target.erase(it);
    return {};
  }
  PartitionsByTopic target;
  for (const auto& topic : record.value->topic_partitions) {
    if (topic.partitions.empty()) continue;
    std::vector<std::int32_t>& partitions = target[protocol::TopicId(topic.topic_id)];
    partitions = topic.partitions;
    std::ranges::sort(partitions);
  }
  (*group)->target.insert_or_assign(protocol::MemberId(record.key.member_id.str()), std::move(target));
  return {};
}

Result<void> apply(GroupState& state, const protocol::ConsumerGroupCurrentMemberAssignmentRecord& record,
                   std::int64_t offset) {
  const std::string_view id = record.key.group_id;
  auto group = group_for(state, id, record.value.has_value(), offset);
  if (!group) return std::unexpected(std::move(group.error()));
  if (*group == nullptr) return {};
  if (!record.value && !(*group)->members.contains(std::string_view(record.key.member_id))) return {};

  ConsumerMember& member = member_for(**group, record.key.member_id);
  release_partitions(**group, member.assigned, member.epoch);
  release_partitions(**group, member.pending_revocation, member.epoch);
  if (!record.value) {  // the member's own tombstone follows
    member.epoch = protocol::kLeaveGroupMemberEpoch;
    member.previous_epoch = protocol::kLeaveGroupMemberEpoch;
    member.assigned.clear();
    member.pending_revocation.clear();
    return {};
  }
  const CurrentAssignmentValue& value = *record.value;
  member.epoch = protocol::MemberEpoch(value.member_epoch);
  member.previous_epoch = protocol::MemberEpoch(value.previous_member_epoch);
  member.state = member_state(value.state);
  member.assigned = owned_partitions(value.assigned_partitions, value.member_epoch);
  member.pending_revocation = owned_partitions(value.partitions_pending_revocation, value.member_epoch);
  if (!take_partitions(**group, member.assigned, member.epoch) ||
      !take_partitions(**group, member.pending_revocation, member.epoch)) {
    return contradiction(id, "a partition is given to a second member");
  }
  return {};
}

Result<void> apply(GroupState& state, const protocol::ConsumerGroupRegularExpressionRecord& record,
                   std::int64_t offset) {
  auto found = group_for(state, record.key.group_id, record.value.has_value(), offset);
  if (!found) return std::unexpected(std::move(found.error()));
  if (*found == nullptr) return {};
  ConsumerGroup& group = **found;
  const auto it = group.resolved_regexes.find(std::string_view(record.key.regular_expression));
  if (it != group.resolved_regexes.end()) {
    for (const auto& topic : it->second.topics) add_by_regex(group.subscribed_topics, topic, -1);
    group.resolved_regexes.erase(it);
  }
  if (!record.value) return {};
  ResolvedRegex resolved{.topics = sorted_names(record.value->topics),
                         .version = record.value->version,
                         .timestamp_ms = record.value->timestamp};
  for (const auto& topic : resolved.topics) add_by_regex(group.subscribed_topics, topic, 1);
  group.resolved_regexes.emplace(record.key.regular_expression.str(), std::move(resolved));
  return {};
}

}  // namespace cohort::coordinator
