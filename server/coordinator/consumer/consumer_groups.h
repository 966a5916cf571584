// What the rest of the coordinator may ask of the consumer family. Free functions over const state, called on the
// shard's thread; whatever is to change goes into step.output. Behaviour follows Kafka's GroupMetadataManager and
// ConsumerGroup (4.3.1).
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/messages/consumer_group_describe_response.h"
#include "protocol/messages/describe_groups_response.h"
#include "protocol/types/error_code.h"
#include "server/coordinator/core/step.h"

namespace cohort::coordinator {

// An answer that is an error, with a sentence for the client.
struct GroupError {
  protocol::ErrorCode code = protocol::ErrorCode::kNone;
  std::string message;
};

// --- requests and other inputs ---
void handle_consumer_heartbeat(const Step& step, ReplyToken token, const ConsumerHeartbeat& request);
void on_consumer_session_timer(const Step& step, const TimerKey& key);
void on_consumer_rebalance_timer(const Step& step, const TimerKey& key);
void on_classic_member_timer(const Step& step, const TimerKey& key);
void on_regexes_resolved(const Step& step, const protocol::GroupId& group, const ResolvedRegexes& result);
void on_assignment_computed(const Step& step, const protocol::GroupId& group, const ComputedAssignment& result);
void on_consumer_metadata(const Step& step);
void on_consumer_loaded(const Step& step);

// --- members that use the classic protocol in a consumer group (classic_member.cc) ---
// The group has members. protocols: of the join, no name twice.
void join_consumer_group(const Step& step, ReplyToken token, const JoinGroup& join, const ClassicProtocols& protocols,
                         const ConsumerGroup& group);
void sync_consumer_group(const Step& step, ReplyToken token, const SyncGroup& sync, const ConsumerGroup& group);
void heartbeat_consumer_group(const Step& step, ReplyToken token, const ClassicHeartbeat& heartbeat,
                              const ConsumerGroup& group);
// Members of both protocols.
void leave_consumer_group(const Step& step, ReplyToken token, const LeaveGroup& leave, const ConsumerGroup& group);

// --- for offsets and admin ---
// May this member commit? A member epoch below the current one is decided per partition (KAFKA-20066).
class CommitValidator {
 public:
  // Every partition may be committed.
  CommitValidator() = default;
  // The member's epoch is older than its current one. The member must outlive the validator.
  CommitValidator(const ConsumerMember& member, protocol::MemberEpoch epoch) : member_(&member), epoch_(epoch) {}
  // kNone, or why this partition may not be committed: kStaleMemberEpoch (kIllegalGeneration for a classic member).
  protocol::ErrorCode validate(const protocol::TopicId& topic, std::int32_t partition) const;

 private:
  const ConsumerMember* member_ = nullptr;
  protocol::MemberEpoch epoch_;
};
// epoch < 0 is the admin client or a consumer without group management: allowed while the group is empty.
// Errors: kUnknownMemberId, kStaleMemberEpoch, kIllegalGeneration, kUnsupportedVersion (below version 9).
std::expected<CommitValidator, protocol::ErrorCode> validate_offset_commit(const ConsumerGroup& group,
                                                                           std::string_view member, std::int32_t epoch,
                                                                           std::int16_t version);
// No member id and an epoch < 0: anybody may read. Errors: kUnknownMemberId, kStaleMemberEpoch, kIllegalGeneration.
protocol::ErrorCode validate_offset_fetch(const ConsumerGroup& group, std::optional<std::string_view> member,
                                          std::int32_t epoch);
// kGroupSubscribedToTopic while a member subscribes to the topic, by name or by a regular expression.
protocol::ErrorCode validate_offset_delete(const ConsumerGroup& group, std::string_view topic);
// kNonEmptyGroup while it has members.
protocol::ErrorCode validate_delete(const ConsumerGroup& group);
// Adds the tombstones that remove the group, in the order that apply wants.
void append_group_tombstones(const protocol::GroupId& id, const ConsumerGroup& group, Output& output);

protocol::ConsumerGroupDescribeResponse::DescribedGroup describe(const protocol::GroupId& id,
                                                                 const ConsumerGroup& group,
                                                                 const MetadataView& metadata,
                                                                 std::string_view default_assignor);
// The same for DescribeGroups, in the words of the classic protocol: for old tools, where group.describe.compat.enable
// asks for it. Subscriptions and assignments are those of the embedded consumer protocol, version 0.
protocol::DescribeGroupsResponse::DescribedGroup describe_as_classic(const protocol::GroupId& id,
                                                                     const ConsumerGroup& group,
                                                                     const MetadataView& metadata,
                                                                     std::string_view default_assignor);

}  // namespace cohort::coordinator
