#include <optional>
#include <utility>

#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;
using protocol::TopicId;
using Request = protocol::OffsetFetchRequest::OffsetFetchRequestGroup;
using Response = protocol::OffsetFetchResponse::OffsetFetchResponseGroup;
using TopicResponse = protocol::OffsetFetchResponse::OffsetFetchResponseTopics;
using PartitionResponse = protocol::OffsetFetchResponse::OffsetFetchResponsePartitions;

constexpr std::int64_t kNoOffset = -1;

// A missing group is no error, it just has no offsets; a share group never has any.
ErrorCode validate(const FoundGroup& group, const Request& request) {
  if (group.consumer != nullptr) {
    return validate_offset_fetch(*group.consumer, view_of(request.member_id), request.member_epoch);
  }
  if (group.is_foreign(ForeignGroup::Type::kStreams) && (request.member_id || request.member_epoch >= 0)) {
    return ErrorCode::kUnknownMemberId;  // nobody is a member of it as far as this server knows
  }
  return ErrorCode::kNone;
}

// The id that offsets must have to be shown: the one asked for, else that of the topic of this name. Zero: any.
TopicId expected_id(const MetadataView& metadata, std::string_view topic, const protocol::Uuid& asked) {
  if (!asked.is_zero()) return TopicId(asked);
  const TopicView* known = metadata.find(topic);
  return known != nullptr ? known->id : TopicId{};
}

// An offset of a deleted topic is never shown for its successor (KIP-848 topic ids;
// OffsetMetadataManager.isOffsetInvalid).
bool is_of_topic(const CommittedOffset& offset, const TopicId& expected) {
  return offset.topic_id == expected || offset.topic_id == TopicId{} || expected == TopicId{};
}

PartitionResponse found(const CommittedOffset& offset) {
  return {.partition_index = offset.partition,
          .committed_offset = offset.offset,
          .committed_leader_epoch = offset.leader_epoch,
          .metadata = protocol::Text(offset.metadata())};
}

std::vector<TopicResponse> fetch_all(const GroupOffsets& offsets, const MetadataView& metadata) {
  std::vector<TopicResponse> topics;
  topics.reserve(offsets.topics.size());
  for (const auto& [name, committed] : offsets.topics) {
    TopicResponse topic{.name = protocol::Text(name.value())};
    const TopicId expected = expected_id(metadata, name.value(), {});
    topic.topic_id = expected.value();
    committed.for_each([&](const CommittedOffset& offset) {
      if (is_of_topic(offset, expected)) topic.partitions.push_back(found(offset));
    });
    if (!topic.partitions.empty()) topics.push_back(std::move(topic));
  }
  return topics;
}

std::vector<TopicResponse> fetch_some(
    const GroupOffsets* offsets, const MetadataView& metadata,
    const std::vector<protocol::OffsetFetchRequest::OffsetFetchRequestTopics>& wanted) {
  std::vector<TopicResponse> topics;
  topics.reserve(wanted.size());
  for (const auto& asked : wanted) {
    TopicResponse& topic = topics.emplace_back();
    topic.name = asked.name;
    topic.topic_id = asked.topic_id;
    topic.partitions.reserve(asked.partition_indexes.size());
    const TopicId expected = expected_id(metadata, asked.name, asked.topic_id);
    const TopicOffsets* committed = nullptr;
    if (offsets != nullptr) {
      const auto it = offsets->topics.find(std::string_view(asked.name));
      if (it != offsets->topics.end()) committed = &it->second;
    }
    for (const std::int32_t partition : asked.partition_indexes) {
      const CommittedOffset* offset = committed != nullptr ? committed->find(partition) : nullptr;
      const bool is_shown = offset != nullptr && is_of_topic(*offset, expected);
      topic.partitions.push_back(
          is_shown ? found(*offset) : PartitionResponse{.partition_index = partition, .committed_offset = kNoOffset});
    }
  }
  return topics;
}

}  // namespace

// RequireStable makes Kafka answer from uncommitted state and hide partitions with pending transactional offsets. Every
// fetch here sees all records and waits until they are durable, so without transactions the flag changes nothing.
void handle_fetch_offsets(const Step& step, ReplyToken token, const FetchOffsets& fetch) {
  const Request& request = fetch.group;
  const FoundGroup group = find_group(step.state, request.group_id);
  Response response{.group_id = request.group_id};
  const ErrorCode error = validate(group, request);
  response.error_code = to_wire(error);
  if (error == ErrorCode::kNone) {
    const GroupOffsets* offsets = group.is_foreign(ForeignGroup::Type::kShare) ? nullptr : group.offsets;
    const MetadataView& metadata = *step.context.metadata;
    if (request.topics) {
      response.topics = fetch_some(offsets, metadata, *request.topics);
    } else if (offsets != nullptr) {
      response.topics = fetch_all(*offsets, metadata);
    }
  }
  step.output.replies.push_back({token, std::move(response), rests_on(step.state, group)});
}

}  // namespace cohort::coordinator
