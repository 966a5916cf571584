// What the files of the classic family share among themselves. Not for other rooms: see classic_groups.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "protocol/messages/join_group_response.h"
#include "protocol/messages/sync_group_response.h"
#include "protocol/types/error_code.h"
#include "server/coordinator/classic/classic_groups.h"

namespace cohort::coordinator {

inline constexpr std::string_view kClassicLogName = "ClassicGroups";

// A group with its round, within a step.
struct RoundStep {
  const Step& step;
  std::string_view group;
  Round& round;
  std::int64_t after;  // what answers about the group rest on
};
// No value: there is no such group.
std::optional<RoundStep> find_round(const Step& step, std::string_view group);
// The round as the log has it; the members' sessions begin anew.
void restore_round(const Step& step, std::string_view id, const ClassicGroup& group);

// kUnknownMemberId or kFencedInstanceId; kNone when it is a member, under this instance id if one is given.
protocol::ErrorCode validate_member(Round& round, std::string_view member, std::optional<std::string_view> instance_id);

// --- records (records.cc) ---
protocol::GroupRecord group_record(const RoundStep& at);
// Of a group that was a consumer group a moment ago. It has no generation of its own yet, so nobody leads it, and that
// is how a restart knows that the rebalance with which it begins has not come to its end.
protocol::GroupRecord leaderless_group_record(const RoundStep& at);
protocol::GroupRecord new_group_record(std::string_view group, std::int64_t wall_ms);

// --- replies ---
// The present generation; the leader's answer lists the members.
void reply_joined(const RoundStep& at, ReplyToken token, const RoundMember& member);
void reply_sync(const RoundStep& at, ReplyToken token, const RoundMember& member);
void reply_sync_error(const Step& step, ReplyToken token, protocol::ErrorCode error, std::int64_t after);
// Answers what the member waits for, if anything. named: the member id in the answer.
void fail_join(const RoundStep& at, RoundMember& member, std::string_view named, protocol::ErrorCode error);
void fail_sync(const RoundStep& at, RoundMember& member, protocol::ErrorCode error);

// --- timers (expire.cc) ---
void restart_session(const RoundStep& at, std::string_view member, ClassicSession& session, Duration timeout);
void restart_session(const RoundStep& at, RoundMember& member);  // with the member's own timeout
void cancel_session(const RoundStep& at, std::string_view member);
void start_join_timer(const RoundStep& at, Duration wait);
void start_sync_timer(const RoundStep& at, Duration wait);
void cancel_join_timer(const RoundStep& at);
void cancel_sync_timer(const RoundStep& at);
// All of a group that ends. The round stays as it is: the end may still be refused.
void cancel_timers(const RoundStep& at);

// --- the rebalance (rebalance.cc) ---
// Begins one if none is under way, else ends it if nobody is missing any more. reason: for the log.
void rebalance_or_complete(const RoundStep& at, std::string_view reason);
void prepare_rebalance(const RoundStep& at, std::string_view reason);
// Ends the wait for joins if nobody is missing.
void complete_if_all_joined(const RoundStep& at);
// Ends the wait for joins: who has joined makes the next generation.
void complete_join(const RoundStep& at);
// A join that waits, or takes the place of one that does: a client that asks again has given up the first.
void park_join(const RoundStep& at, RoundMember& member, ReplyToken token);
// The member is gone; what it waited for was answered.
void remove_member(const RoundStep& at, RoundMember& member);

// --- joins (join.cc, static_join.cc) ---
// A known static member under a new id.
void join_restarted_static(const RoundStep& at, ReplyToken token, const JoinGroup& join, RoundMember& old,
                           ClassicProtocols protocols);

}  // namespace cohort::coordinator
