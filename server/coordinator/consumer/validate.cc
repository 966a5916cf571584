// What may be refused without touching a group, and what the offset and admin APIs ask of one.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/records.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

constexpr std::int16_t kClientMakesMemberId = 1;  // from this version of the heartbeat on
constexpr std::int16_t kCommitKnowsMemberEpochs = 9;

GroupError invalid(std::string_view message) {
  return {ErrorCode::kInvalidRequest, std::string(message)};
}

bool is_empty(const std::optional<protocol::Text>& text) {
  return text && text->empty();
}

std::optional<GroupError> validate_join(const protocol::ConsumerGroupHeartbeatRequest& request) {
  if (request.rebalance_timeout_ms == -1) return invalid("RebalanceTimeoutMs must be provided in first request.");
  if (!request.topic_partitions || !request.topic_partitions->empty()) {
    return invalid("TopicPartitions must be empty when (re-)joining.");
  }
  if (!request.subscribed_topic_names && !request.subscribed_topic_regex) {
    return invalid("Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.");
  }
  return std::nullopt;
}

ErrorCode wrong_epoch(const ConsumerMember& member) {
  return member.classic ? ErrorCode::kIllegalGeneration : ErrorCode::kStaleMemberEpoch;
}

}  // namespace

// The order of the checks is Kafka's (GroupCoordinatorService).
std::optional<GroupError> validate_heartbeat(const ConsumerHeartbeat& heartbeat, const config::GroupConfig& config) {
  const auto& request = heartbeat.request;
  const protocol::MemberEpoch epoch(request.member_epoch);
  const bool id_required = heartbeat.version >= kClientMakesMemberId || epoch > protocol::kJoinGroupMemberEpoch ||
                           epoch == protocol::kLeaveGroupMemberEpoch;
  if (id_required && request.member_id.empty()) return invalid("MemberId can't be empty.");
  if (request.group_id.empty()) return invalid("GroupId can't be empty.");
  if (is_empty(request.instance_id)) return invalid("InstanceId can't be empty.");
  if (is_empty(request.rack_id)) return invalid("RackId can't be empty.");

  if (epoch == protocol::kJoinGroupMemberEpoch) {
    if (auto error = validate_join(request)) return error;
  } else if (epoch == protocol::kLeaveGroupStaticMemberEpoch) {
    if (!request.instance_id) return invalid("InstanceId can't be null.");
  } else if (epoch < protocol::kLeaveGroupStaticMemberEpoch) {
    return invalid("MemberEpoch is invalid.");
  }

  const auto& assignors = config.consumer_assignors;
  if (request.server_assignor && std::ranges::find(assignors, request.server_assignor->view()) == assignors.end()) {
    return GroupError{ErrorCode::kUnsupportedAssignor,
                      fmt::format("ServerAssignor {} is not supported. Supported assignors: {}.",
                                  request.server_assignor->view(), fmt::join(config.consumer_assignors, ", "))};
  }
  return std::nullopt;
}

void reply_error(const Step& step, ReplyToken token, const GroupError& error, std::int64_t after) {
  protocol::ConsumerGroupHeartbeatResponse response;
  response.error_code = std::to_underlying(error.code);
  response.error_message = protocol::Text(error.message);
  step.output.replies.push_back({token, std::move(response), after});
}

GroupError group_not_found(std::string_view group) {
  return {ErrorCode::kGroupIdNotFound, fmt::format("Group {} not found, or not a consumer group.", group)};
}

GroupError unknown_member(std::string_view group, std::string_view member) {
  return {ErrorCode::kUnknownMemberId, fmt::format("Member {} is not a member of group {}.", member, group)};
}

GroupError unknown_instance(std::string_view instance_id) {
  return {ErrorCode::kUnknownMemberId, fmt::format("Instance id {} is unknown.", instance_id)};
}

GroupError fenced_instance(std::string_view instance_id, const ConsumerMember& holder, std::string_view member) {
  return {ErrorCode::kFencedInstanceId,
          fmt::format("Static member {} with instance id {} was fenced by member {}.", member, instance_id, holder.id)};
}

std::int64_t last_record_without(const GroupState& state, std::string_view group) {
  const auto classic = state.classic_groups.find(group);
  if (classic != state.classic_groups.end()) return classic->second.last_record;
  const auto foreign = state.foreign_groups.find(group);
  return foreign != state.foreign_groups.end() ? foreign->second.last_record : state.last_deletion;
}

// --- for offsets and admin ---

ErrorCode CommitValidator::validate(const protocol::TopicId& topic, std::int32_t partition) const {
  if (member_ == nullptr) return ErrorCode::kNone;
  for (const OwnedPartitions* owned : {&member_->assigned, &member_->pending_revocation}) {
    const auto it = owned->find(topic);
    if (it == owned->end()) continue;
    const auto found = std::ranges::lower_bound(it->second, partition, {}, &OwnedPartition::partition);
    if (found == it->second.end() || found->partition != partition) continue;
    return epoch_ < found->epoch ? wrong_epoch(*member_) : ErrorCode::kNone;
  }
  return wrong_epoch(*member_);  // it has lost the partition
}

std::expected<CommitValidator, ErrorCode> validate_offset_commit(const ConsumerGroup& group, std::string_view member,
                                                                 std::int32_t epoch, std::int16_t version) {
  if (epoch < 0 && group.members.empty()) return CommitValidator();
  const ConsumerMember* found = group.find_member(member);
  if (found == nullptr) return std::unexpected(ErrorCode::kUnknownMemberId);
  if (!found->classic && version < kCommitKnowsMemberEpochs) return std::unexpected(ErrorCode::kUnsupportedVersion);
  const protocol::MemberEpoch received(epoch);
  if (received == found->epoch) return CommitValidator();
  if (received > found->epoch) return std::unexpected(wrong_epoch(*found));
  return CommitValidator(*found, received);
}

ErrorCode validate_offset_fetch(const ConsumerGroup& group, std::optional<std::string_view> member,
                                std::int32_t epoch) {
  if (!member && epoch < 0) return ErrorCode::kNone;
  const ConsumerMember* found = member ? group.find_member(*member) : nullptr;
  if (found == nullptr) return ErrorCode::kUnknownMemberId;
  return found->epoch.value() == epoch ? ErrorCode::kNone : wrong_epoch(*found);
}

ErrorCode validate_offset_delete(const ConsumerGroup& group, std::string_view topic) {
  return group.is_subscribed_to(topic) ? ErrorCode::kGroupSubscribedToTopic : ErrorCode::kNone;
}

ErrorCode validate_delete(const ConsumerGroup& group) {
  return group.members.empty() ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

void append_group_tombstones(const protocol::GroupId& id, const ConsumerGroup& group, Output& output) {
  const std::string_view name = id.value();
  for (const auto& [member, _] : group.members) {
    output.records.push_back(current_assignment_tombstone(name, member.value()));
  }
  for (const auto& [member, _] : group.target) output.records.push_back(target_tombstone(name, member.value()));
  output.records.push_back(target_metadata_tombstone(name));
  for (const auto& [member, _] : group.members) output.records.push_back(member_tombstone(name, member.value()));
  for (const auto& [regex, _] : group.resolved_regexes) output.records.push_back(regex_tombstone(name, regex));
  output.records.push_back(partition_metadata_tombstone(name));
  output.records.push_back(group_epoch_tombstone(name));
}

}  // namespace cohort::coordinator
