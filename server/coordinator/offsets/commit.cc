#include <expected>
#include <limits>
#include <optional>

#include "protocol/base/check.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/core/limits.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;
using Topic = protocol::OffsetCommitRequest::OffsetCommitRequestTopic;
using Partition = protocol::OffsetCommitRequest::OffsetCommitRequestPartition;

constexpr std::int16_t kFirstVersionWithGroupIdNotFound = 9;
constexpr std::int16_t kFirstVersionWithTopicIds = 10;
constexpr std::int64_t kDefaultRetentionTime = -1;
// Records of more never fit into one batch of the log, so they are not even made.
constexpr std::size_t kMaxPartitions = 32'768;

// Kafka counts UTF-16 units: one per character, two for those outside the basic plane (four bytes in UTF-8).
std::size_t utf16_length(std::string_view text) {
  std::size_t length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0U) != 0x80U) ++length;
    if (byte >= 0xf0U) ++length;
  }
  return length;
}

bool is_metadata_too_large(const Partition& partition, const config::GroupConfig& config) {
  if (!partition.committed_metadata) return false;
  const auto limit = static_cast<std::size_t>(config.offset_metadata_max_bytes);
  return partition.committed_metadata->size() > limit && utf16_length(*partition.committed_metadata) > limit;
}

// May the sender commit to this group at all? Which partitions an old epoch may commit is up to the validator.
std::expected<CommitValidator, ErrorCode> validate(const Step& step, const FoundGroup& group,
                                                   const CommitOffsets& commit) {
  const protocol::OffsetCommitRequest& request = commit.request;
  const std::int32_t epoch = request.generation_id_or_member_epoch;
  if (group.consumer != nullptr) {
    return validate_offset_commit(*group.consumer, request.member_id, epoch, commit.version);
  }
  if (group.classic != nullptr) {
    const ErrorCode error =
        validate_offset_commit(*group.round, request.member_id, view_of(request.group_instance_id), epoch);
    if (error != ErrorCode::kNone) return std::unexpected(error);
    return {};
  }
  if (!group.exists()) {
    // Without a generation it comes from an admin client or a consumer without group management: a simple group begins.
    if (epoch < 0) {
      if (why_no_new_group(step, request.group_id)) return std::unexpected(ErrorCode::kPolicyViolation);
      return {};
    }
    const bool knows_error = commit.version >= kFirstVersionWithGroupIdNotFound;
    return std::unexpected(knows_error ? ErrorCode::kGroupIdNotFound : ErrorCode::kIllegalGeneration);
  }
  if (group.is_foreign(ForeignGroup::Type::kShare)) return std::unexpected(ErrorCode::kGroupIdNotFound);
  // Nobody is a member of the others as far as this server knows, so only a simple one can be committed to.
  if (epoch < 0 && group.is_simple()) return {};
  return std::unexpected(ErrorCode::kUnknownMemberId);
}

// Answers every partition with the same error.
protocol::OffsetCommitResponse error_response(const protocol::OffsetCommitRequest& request, ErrorCode error) {
  protocol::OffsetCommitResponse response;
  response.topics.reserve(request.topics.size());
  for (const Topic& topic : request.topics) {
    auto& answered = response.topics.emplace_back();
    answered.name = topic.name;
    answered.topic_id = topic.topic_id;
    answered.partitions.reserve(topic.partitions.size());
    for (const Partition& partition : topic.partitions) {
      answered.partitions.push_back({.partition_index = partition.partition_index, .error_code = to_wire(error)});
    }
  }
  return response;
}

std::size_t partition_count(const protocol::OffsetCommitRequest& request) {
  std::size_t count = 0;
  for (const Topic& topic : request.topics) count += topic.partitions.size();
  return count;
}

// The first partition that the member's epoch is too old for fails the whole request, as in Kafka, where it is thrown.
ErrorCode validate_partitions(const Step& step, const CommitOffsets& commit, const CommitValidator& validator) {
  for (const Topic& topic : commit.request.topics) {
    for (const Partition& partition : topic.partitions) {
      if (is_metadata_too_large(partition, step.config)) continue;
      const ErrorCode error = validator.validate(protocol::TopicId(topic.topic_id), partition.partition_index);
      if (error != ErrorCode::kNone) return error;
    }
  }
  return ErrorCode::kNone;
}

// Was the topic deleted between the check in `api` and this step? Its offsets would not be swept up again, and would
// pass to a successor of the same name.
bool is_deleted(const Step& step, const CommitOffsets& commit, const Topic& topic) {
  const MetadataView& metadata = *step.context.metadata;
  const TopicView* known = metadata.find(std::string_view(topic.name));
  if (known != nullptr && known->id.value() == topic.topic_id) return false;
  CHECK(commit.metadata_version <= metadata.version(), "a commit overtook the view that it was checked against");
  return true;
}

std::int64_t expire_timestamp(const protocol::OffsetCommitRequest& request, std::int64_t wall_ms) {
  if (request.retention_time_ms == kDefaultRetentionTime) return kNoExpireTimestamp;
  std::int64_t result = 0;
  if (__builtin_add_overflow(wall_ms, request.retention_time_ms, &result))
    return std::numeric_limits<std::int64_t>::max();
  return result;
}

protocol::GroupRecord commit_record(const protocol::Text& group, const Topic& topic, const Partition& partition,
                                    std::int64_t wall_ms, std::int64_t expire_timestamp_ms) {
  protocol::OffsetCommitRecord record;
  record.key = {.group = group, .topic = topic.name, .partition = partition.partition_index};
  protocol::OffsetCommitValue& value = record.value.emplace();
  value.offset = partition.committed_offset;
  if (partition.committed_metadata) value.metadata = *partition.committed_metadata;
  value.commit_timestamp = wall_ms;
  value.expire_timestamp = expire_timestamp_ms;
  // With an expiry Kafka writes version 1 of the value (GroupCoordinatorRecordHelpers.newOffsetCommitRecord), which has
  // neither of these. Kafka still knows the id until it loads the record again; state here is what the record says.
  if (expire_timestamp_ms == kNoExpireTimestamp) {
    value.leader_epoch = partition.committed_leader_epoch;
    value.topic_id = topic.topic_id;
  }
  return record;
}

}  // namespace

void handle_commit_offsets(const Step& step, ReplyToken token, const CommitOffsets& commit) {
  const protocol::OffsetCommitRequest& request = commit.request;
  const FoundGroup group = find_group(step.state, request.group_id);
  const std::int64_t after = rests_on(step.state, group);

  // 1. Nothing is committed unless everything may be.
  const auto validator = validate(step, group, commit);
  ErrorCode error = validator ? validate_partitions(step, commit, *validator) : validator.error();
  const std::size_t count = partition_count(request);
  if (error == ErrorCode::kNone && count > kMaxPartitions) error = ErrorCode::kInvalidCommitOffsetSize;
  protocol::OffsetCommitResponse response = error_response(request, error);
  if (error != ErrorCode::kNone) {
    step.output.replies.push_back({token, std::move(response), after});
    return;
  }

  // 2. A record for each partition that is in order.
  const std::int64_t wall_ms = step.context.now.wall_ms;
  const std::int64_t expire_timestamp_ms = expire_timestamp(request, wall_ms);
  OffsetRoom room(step, request.group_id, group.offsets, count);
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const Topic& topic = request.topics[t];
    const bool deleted = is_deleted(step, commit, topic);
    for (std::size_t p = 0; p < topic.partitions.size(); ++p) {
      const Partition& partition = topic.partitions[p];
      std::int16_t& answer = response.topics[t].partitions[p].error_code;
      if (deleted) {
        answer = to_wire(commit.version >= kFirstVersionWithTopicIds ? ErrorCode::kUnknownTopicId
                                                                     : ErrorCode::kUnknownTopicOrPartition);
      } else if (is_metadata_too_large(partition, step.config)) {
        answer = to_wire(ErrorCode::kOffsetMetadataTooLarge);
      } else if (!room.take(topic.name, partition.partition_index)) {
        answer = to_wire(ErrorCode::kPolicyViolation);
      } else {
        step.output.records.push_back(commit_record(request.group_id, topic, partition, wall_ms, expire_timestamp_ms));
      }
    }
  }
  step.output.replies.push_back({token, std::move(response), after});
}

}  // namespace cohort::coordinator
