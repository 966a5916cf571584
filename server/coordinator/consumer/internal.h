// What the files of the consumer family share among themselves. Not for other rooms: see consumer_groups.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/consumer/counts.h"
#include "server/coordinator/core/step.h"

namespace cohort::coordinator {

inline constexpr std::string_view kLogName = "ConsumerGroups";
// A job whose result has not come by then is given up and may be started again.
inline constexpr Duration kJobPatience = std::chrono::minutes{1};

// --- a group's values: its own where it has some, clamped, else those of the process ---
Duration session_timeout(const Step& step, std::string_view group);
Duration heartbeat_interval(const Step& step, std::string_view group);
Duration assignment_interval(const Step& step, std::string_view group);

// --- requests (validate.cc) ---
std::optional<GroupError> validate_heartbeat(const ConsumerHeartbeat& heartbeat, const config::GroupConfig& config);
// The answer of a request that failed: nothing but the error. after: what the error rests on.
void reply_error(const Step& step, ReplyToken token, const GroupError& error, std::int64_t after);
// Missing, or of another type.
GroupError group_not_found(std::string_view group);
GroupError unknown_member(std::string_view group, std::string_view member);
GroupError unknown_instance(std::string_view instance_id);
GroupError fenced_instance(std::string_view instance_id, const ConsumerMember& holder, std::string_view member);
// What "this group is not there" or "it is of another type" rests on.
std::int64_t last_record_without(const GroupState& state, std::string_view group);

// --- leaving (leave.cc) ---
void leave(const Step& step, ReplyToken token, const ConsumerHeartbeat& heartbeat);
// Adds the tombstones of a member, in the order that apply wants.
void append_member_tombstones(std::string_view group, std::string_view member, Output& output);
// Removes members and bumps the group's epoch once; or turns the group into a classic one, when all others use that
// protocol and the policy allows it.
void fence_members(const Step& step, std::string_view id, const ConsumerGroup& group,
                   std::span<const ConsumerMember* const> members);
void fence_member(const Step& step, std::string_view id, const ConsumerGroup& group, const ConsumerMember& member);

// --- timers (expire.cc) ---
// The member was heard of: its session begins anew. is_new: it is not in the group yet.
void restart_session(const Step& step, std::string_view group, const ConsumerMember& member, bool is_new);
void start_rebalance_timer(const Step& step, std::string_view group, const ConsumerMember& member);
void cancel_rebalance_timer(const Step& step, std::string_view group, std::string_view member);
void cancel_timers(const Step& step, std::string_view group, std::string_view member);
// Of a member of the classic protocol: until it joins again, unless it was told so before; until it syncs.
void start_join_timer(const Step& step, std::string_view group, const ConsumerMember& member);
void cancel_join_timer(const Step& step, std::string_view group, const ConsumerMember& member);
void start_sync_timer(const Step& step, std::string_view group, const ConsumerMember& member);
void cancel_sync_timer(const Step& step, std::string_view group, std::string_view member);

// --- subscriptions (subscription.cc) ---
// The subscriptions if `member` took the place of `old`.
SubscriptionCounts subscribed_topics_after(const ConsumerGroup& group, const ConsumerMember& old,
                                           const ConsumerMember& member);
std::int64_t metadata_hash(const SubscriptionCounts& subscribed, const MetadataView& metadata);
// Have topics changed since the group's subscriptions were last looked at?
bool is_metadata_stale(const ConsumerGroup& group, const MetadataView& metadata);

// --- regular expressions (regex.cc) ---
enum class RegexChange : std::uint8_t { kNone, kChanged, kChangedAndResolved };
// Adds what a changed regular expression asks for, and starts a resolution when one is due.
std::expected<RegexChange, GroupError> update_regexes(const Step& step, std::string_view id, const ConsumerGroup& group,
                                                      const ConsumerMember& old, const ConsumerMember& member);
// Would a steady heartbeat of this group start a resolution?
bool is_resolution_due(const Step& step, std::string_view id, const ConsumerGroup& group);

// --- target assignments (target_assignment.cc) ---
struct Target {
  protocol::GroupEpoch epoch;
  PartitionsByTopic partitions;  // of the member that asked
};
// Computes a new target when the group's epoch is ahead of the assignment's and the interval is over; otherwise, or
// when a job computes it, the last one.
Target update_target(const Step& step, std::string_view id, const ConsumerGroup& group, protocol::GroupEpoch epoch,
                     const ConsumerMember& old, const ConsumerMember& member);
// The assignor that most members ask for; the group's default when none asks or two are even.
std::string_view preferred_assignor(const Counts& votes, std::string_view default_assignor);

}  // namespace cohort::coordinator
