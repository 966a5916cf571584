// What the rest of the coordinator may ask of the classic family: groups whose members share out the partitions among
// themselves (JoinGroup, SyncGroup). Free functions over const state, called on the shard's thread; whatever is to last
// goes into step.output, what runs is in the group's round (round.h). Behaviour follows Kafka's GroupMetadataManager
// and ClassicGroup (4.3.1).
//
// A JoinGroup waits for the other members and a SyncGroup for the leader's: their tokens lie in the round, and the step
// that ends the wait answers them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/messages/describe_groups_response.h"
#include "protocol/records/group_record.h"
#include "protocol/types/error_code.h"
#include "server/coordinator/classic/round.h"
#include "server/coordinator/core/step.h"

namespace cohort::coordinator {

// --- requests and other inputs ---
void handle_join_group(const Step& step, ReplyToken token, const JoinGroup& request);
void handle_sync_group(const Step& step, ReplyToken token, const SyncGroup& request);
void handle_classic_heartbeat(const Step& step, ReplyToken token, const ClassicHeartbeat& request);
void handle_leave_group(const Step& step, ReplyToken token, const LeaveGroup& request);
void on_classic_session_timer(const Step& step, const TimerKey& key);
void on_classic_join_timer(const Step& step, const TimerKey& key);
void on_classic_sync_timer(const Step& step, const TimerKey& key);
void on_classic_loaded(const Step& step);
// The step that wrote the record was refused. The group is again what the log says, as after a load: whoever waits in
// it is answered with the error, and joins again.
void on_classic_refused(const Step& step, const protocol::GroupMetadataRecord& record, protocol::ErrorCode error);

// --- hard state ---
Result<void> apply(GroupState& state, const protocol::GroupMetadataRecord& record, std::int64_t offset);
void dump_classic_groups(const GroupState& state, std::string& out);

// --- for others ---
// May this member commit? A negative generation is the admin client or a consumer without group management.
// Errors: kUnknownMemberId, kFencedInstanceId, kIllegalGeneration, kRebalanceInProgress.
protocol::ErrorCode validate_offset_commit(Round& round, std::string_view member,
                                           std::optional<std::string_view> instance_id, std::int32_t generation);
// May offsets be deleted at all? kNonEmptyGroup: there are members, and what they subscribe to is not known.
protocol::ErrorCode validate_offset_delete(const Round& round);
// kNonEmptyGroup while it has members.
protocol::ErrorCode validate_delete(const Round& round);
// Adds the tombstone; the round goes with it. The group is empty.
void delete_classic_group(const Step& step, std::string_view group);

// --- JoinGroup and LeaveGroup, of whichever family the group is ---
// Version 0 of JoinGroup has no rebalance timeout: it is the session's.
std::int32_t rebalance_timeout_ms(const JoinGroup& join);
// Of a new member: it is told its id first, and shall come again with it (KIP-394).
bool must_be_told_its_id(const JoinGroup& join);
// What the client gives as its reason, for the log.
std::string_view reason_of(const std::optional<protocol::Text>& reason);
void reply_join_error(const Step& step, ReplyToken token, std::string_view member, protocol::ErrorCode error,
                      std::int64_t after);

// --- for groups that change their protocol (consumer/migration.h) ---
// The timers of a group that ends. Its round stays as it is: the end may still be refused.
void cancel_round_timers(const Step& step, std::string_view group);
// Whoever waits in the group is answered.
void end_round(const Step& step, std::string_view group, protocol::ErrorCode error);
// The members, which use the classic protocol, as a classic group whose generation is the group's epoch and whose
// assignments are their targets. Adds its record; a rebalance begins.
void begin_classic_group(const Step& step, std::string_view id, const ConsumerGroup& group,
                         std::span<const ConsumerMember* const> members);

protocol::DescribeGroupsResponse::DescribedGroup describe(std::string_view group, const Round& round);

}  // namespace cohort::coordinator
