#include <utility>

#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

// May offsets of this group be deleted at all?
ErrorCode validate(const FoundGroup& group) {
  if (!group.exists() || group.is_foreign(ForeignGroup::Type::kShare)) return ErrorCode::kGroupIdNotFound;
  if (group.classic != nullptr) return validate_offset_delete(*group.round);
  return group.foreign == nullptr ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

ErrorCode validate_topic(const FoundGroup& group, std::string_view topic) {
  if (group.consumer != nullptr) return validate_offset_delete(*group.consumer, topic);
  if (group.classic != nullptr && group.round->is_subscribed_to(topic)) return ErrorCode::kGroupSubscribedToTopic;
  return ErrorCode::kNone;
}

}  // namespace

protocol::GroupRecord offset_tombstone(std::string_view group, std::string_view topic, std::int32_t partition) {
  return protocol::OffsetCommitRecord{.key = {.group = group, .topic = topic, .partition = partition}, .value = {}};
}

void append_offset_tombstones(std::string_view group, const OffsetsState& state, Output& output) {
  const GroupOffsets* offsets = state.find(group);
  if (offsets == nullptr) return;
  for (const auto& [topic, committed] : offsets->topics) {
    committed.for_each([&](const CommittedOffset& offset) {
      output.records.push_back(offset_tombstone(group, topic.value(), offset.partition));
    });
  }
}

void handle_delete_offsets(const Step& step, ReplyToken token, const DeleteOffsets& deletion) {
  const protocol::OffsetDeleteRequest& request = deletion.request;
  const FoundGroup group = find_group(step.state, request.group_id);
  protocol::OffsetDeleteResponse response;

  // 1. The group. An empty id, legal for commits, is refused here (GroupCoordinatorService.deleteOffsets).
  const ErrorCode error = request.group_id.empty() ? ErrorCode::kInvalidGroupId : validate(group);
  response.error_code = to_wire(error);

  // 2. A tombstone for each offset that is there; a partition without offset is no error.
  if (error == ErrorCode::kNone) {
    for (const auto& topic : request.topics) {
      auto& answered = response.topics.emplace_back();
      answered.name = topic.name;
      const ErrorCode topic_error = validate_topic(group, topic.name);
      for (const auto& partition : topic.partitions) {
        const std::int32_t index = partition.partition_index;
        answered.partitions.push_back({.partition_index = index, .error_code = to_wire(topic_error)});
        if (topic_error != ErrorCode::kNone) continue;
        if (step.state.offsets.find(request.group_id, topic.name, index) == nullptr) continue;
        step.output.records.push_back(offset_tombstone(request.group_id, topic.name, index));
      }
    }
  }
  step.output.replies.push_back({token, std::move(response), rests_on(step.state, group)});
}

}  // namespace cohort::coordinator
