#include "server/coordinator/consumer/records.h"

#include <utility>

namespace cohort::coordinator {
namespace {

std::optional<protocol::Text> optional_text(const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  return protocol::Text(*value);
}

std::vector<protocol::Text> texts(const std::vector<protocol::TopicName>& names) {
  std::vector<protocol::Text> result;
  result.reserve(names.size());
  for (const auto& name : names) result.emplace_back(name.value());
  return result;
}

using CurrentAssignmentValue = protocol::ConsumerGroupCurrentMemberAssignmentValue;

std::vector<CurrentAssignmentValue::TopicPartitions> topic_partitions(const OwnedPartitions& owned) {
  std::vector<CurrentAssignmentValue::TopicPartitions> result;
  result.reserve(owned.size());
  for (const auto& [topic, partitions] : owned) {
    CurrentAssignmentValue::TopicPartitions& entry = result.emplace_back();
    entry.topic_id = topic.value();
    entry.assignment_epochs.emplace();
    for (const OwnedPartition& partition : partitions) {
      entry.partitions.push_back(partition.partition);
      entry.assignment_epochs->push_back(partition.epoch.value());
    }
  }
  return result;
}

}  // namespace

protocol::GroupRecord member_record(std::string_view group, const ConsumerMember& member) {
  protocol::ConsumerGroupMemberMetadataValue value;
  // Its default is "", which would be an instance of that name, not none.
  value.instance_id = std::nullopt;
  if (member.instance_id) value.instance_id = protocol::Text(member.instance_id->value());
  value.rack_id = optional_text(member.rack_id);
  value.client_id = member.client_id;
  value.client_host = member.client_host;
  value.subscribed_topic_names = texts(member.subscribed_topics);
  value.subscribed_topic_regex = protocol::Text(member.subscribed_regex);
  value.rebalance_timeout_ms = member.rebalance_timeout_ms;
  value.server_assignor = optional_text(member.server_assignor);
  value.classic_member_metadata = member.classic;
  return protocol::ConsumerGroupMemberMetadataRecord{
      .key = {.group_id = group, .member_id = protocol::Text(member.id.value())}, .value = std::move(value)};
}

protocol::GroupRecord member_tombstone(std::string_view group, std::string_view member) {
  return protocol::ConsumerGroupMemberMetadataRecord{.key = {.group_id = group, .member_id = member}, .value = {}};
}

protocol::GroupRecord group_epoch_record(std::string_view group, protocol::GroupEpoch epoch,
                                         std::int64_t metadata_hash) {
  protocol::ConsumerGroupMetadataValue value;
  value.epoch = epoch.value();
  value.metadata_hash = metadata_hash;
  return protocol::ConsumerGroupMetadataRecord{.key = {.group_id = group}, .value = std::move(value)};
}

protocol::GroupRecord group_epoch_tombstone(std::string_view group) {
  return protocol::ConsumerGroupMetadataRecord{.key = {.group_id = group}, .value = {}};
}

protocol::GroupRecord target_record(std::string_view group, std::string_view member, const PartitionsByTopic& target) {
  protocol::ConsumerGroupTargetAssignmentMemberValue value;
  value.topic_partitions.reserve(target.size());
  for (const auto& [topic, partitions] : target) {
    auto& entry = value.topic_partitions.emplace_back();
    entry.topic_id = topic.value();
    entry.partitions = partitions;
  }
  return protocol::ConsumerGroupTargetAssignmentMemberRecord{.key = {.group_id = group, .member_id = member},
                                                             .value = std::move(value)};
}

protocol::GroupRecord target_tombstone(std::string_view group, std::string_view member) {
  return protocol::ConsumerGroupTargetAssignmentMemberRecord{.key = {.group_id = group, .member_id = member},
                                                             .value = {}};
}

protocol::GroupRecord target_metadata_record(std::string_view group, protocol::GroupEpoch epoch, std::int64_t wall_ms) {
  protocol::ConsumerGroupTargetAssignmentMetadataValue value;
  value.assignment_epoch = epoch.value();
  value.assignment_timestamp = wall_ms;
  return protocol::ConsumerGroupTargetAssignmentMetadataRecord{.key = {.group_id = group}, .value = std::move(value)};
}

protocol::GroupRecord target_metadata_tombstone(std::string_view group) {
  return protocol::ConsumerGroupTargetAssignmentMetadataRecord{.key = {.group_id = group}, .value = {}};
}

protocol::GroupRecord current_assignment_record(std::string_view group, const ConsumerMember& member) {
  CurrentAssignmentValue value;
  value.member_epoch = member.epoch.value();
  value.previous_member_epoch = member.previous_epoch.value();
  value.state = std::to_underlying(member.state);
  value.assigned_partitions = topic_partitions(member.assigned);
  value.partitions_pending_revocation = topic_partitions(member.pending_revocation);
  return protocol::ConsumerGroupCurrentMemberAssignmentRecord{
      .key = {.group_id = group, .member_id = protocol::Text(member.id.value())}, .value = std::move(value)};
}

protocol::GroupRecord current_assignment_tombstone(std::string_view group, std::string_view member) {
  return protocol::ConsumerGroupCurrentMemberAssignmentRecord{.key = {.group_id = group, .member_id = member},
                                                              .value = {}};
}

protocol::GroupRecord regex_record(std::string_view group, std::string_view regex, const ResolvedRegex& resolved) {
  protocol::ConsumerGroupRegularExpressionValue value;
  value.topics = texts(resolved.topics);
  value.version = resolved.version;
  value.timestamp = resolved.timestamp_ms;
  return protocol::ConsumerGroupRegularExpressionRecord{.key = {.group_id = group, .regular_expression = regex},
                                                        .value = std::move(value)};
}

protocol::GroupRecord regex_tombstone(std::string_view group, std::string_view regex) {
  return protocol::ConsumerGroupRegularExpressionRecord{.key = {.group_id = group, .regular_expression = regex},
                                                        .value = {}};
}

protocol::GroupRecord partition_metadata_tombstone(std::string_view group) {
  return protocol::ConsumerGroupPartitionMetadataRecord{.key = {.group_id = group}, .value = {}};
}

}  // namespace cohort::coordinator
