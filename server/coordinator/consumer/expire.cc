// Session and rebalance timeouts. A heartbeat only moves the deadline in the member's soft state; the timer, when it
// fires too early, sets itself again.
#include <algorithm>
#include <utility>

#include "protocol/base/log.h"
#include "server/coordinator/consumer/internal.h"

namespace cohort::coordinator {
namespace {

TimerKey key_of(TimerKind kind, std::string_view group, std::string_view member) {
  return {kind, protocol::GroupId(std::string(group)), protocol::MemberId(std::string(member))};
}

Duration own_or(const Step& step, std::string_view group, std::optional<Duration> GroupOverrides::* value,
                Duration fallback, Duration low, Duration high) {
  const GroupOverrides* overrides = step.context.metadata->overrides(group);
  if (overrides == nullptr || !(overrides->*value)) return fallback;
  return std::clamp(*(overrides->*value), low, std::max(low, high));
}

}  // namespace

Duration session_timeout(const Step& step, std::string_view group) {
  const config::GroupConfig& config = step.config;
  return own_or(step, group, &GroupOverrides::consumer_session_timeout, config.consumer_session_timeout,
                config.consumer_min_session_timeout, config.consumer_max_session_timeout);
}

Duration heartbeat_interval(const Step& step, std::string_view group) {
  const config::GroupConfig& config = step.config;
  return own_or(step, group, &GroupOverrides::consumer_heartbeat_interval, config.consumer_heartbeat_interval,
                config.consumer_min_heartbeat_interval, config.consumer_max_heartbeat_interval);
}

Duration assignment_interval(const Step& step, std::string_view group) {
  const config::GroupConfig& config = step.config;
  return own_or(step, group, &GroupOverrides::consumer_assignment_interval, config.consumer_assignment_interval,
                config.consumer_min_assignment_interval, config.consumer_max_assignment_interval);
}

void restart_session(const Step& step, std::string_view group, const ConsumerMember& member, bool is_new) {
  // A member of the classic protocol has said for itself how long it may be silent.
  const Duration timeout = member.classic ? Duration{member.classic->session_timeout_ms} : session_timeout(step, group);
  const MonoTime deadline = step.context.now.mono + timeout;
  if (!is_new) {
    member.soft.session_deadline = deadline;
    if (member.soft.session_timer && *member.soft.session_timer <= deadline) return;
    member.soft.session_timer = deadline;
  }
  step.output.timers.push_back(SetTimer{key_of(TimerKind::kConsumerSession, group, member.id.value()), deadline});
}

void start_rebalance_timer(const Step& step, std::string_view group, const ConsumerMember& member) {
  const Duration timeout{std::max(member.rebalance_timeout_ms, 0)};
  step.output.timers.push_back(
      SetTimer{key_of(TimerKind::kConsumerRebalance, group, member.id.value()), step.context.now.mono + timeout});
}

void cancel_rebalance_timer(const Step& step, std::string_view group, std::string_view member) {
  step.output.timers.push_back(CancelTimer{key_of(TimerKind::kConsumerRebalance, group, member)});
}

void cancel_timers(const Step& step, std::string_view group, std::string_view member) {
  for (const TimerKind kind : {TimerKind::kConsumerSession, TimerKind::kConsumerRebalance, TimerKind::kConsumerJoin,
                               TimerKind::kConsumerSync}) {
    step.output.timers.push_back(CancelTimer{key_of(kind, group, member)});
  }
}

void start_join_timer(const Step& step, std::string_view group, const ConsumerMember& member) {
  if (std::exchange(member.soft.must_join, true)) return;
  step.output.timers.push_back(SetTimer{key_of(TimerKind::kConsumerJoin, group, member.id.value()),
                                        step.context.now.mono + Duration{std::max(member.rebalance_timeout_ms, 0)}});
}

void cancel_join_timer(const Step& step, std::string_view group, const ConsumerMember& member) {
  member.soft.must_join = false;
  step.output.timers.push_back(CancelTimer{key_of(TimerKind::kConsumerJoin, group, member.id.value())});
}

void start_sync_timer(const Step& step, std::string_view group, const ConsumerMember& member) {
  step.output.timers.push_back(SetTimer{key_of(TimerKind::kConsumerSync, group, member.id.value()),
                                        step.context.now.mono + Duration{std::max(member.rebalance_timeout_ms, 0)}});
}

void cancel_sync_timer(const Step& step, std::string_view group, std::string_view member) {
  step.output.timers.push_back(CancelTimer{key_of(TimerKind::kConsumerSync, group, member)});
}

void on_classic_member_timer(const Step& step, const TimerKey& key) {
  const ConsumerGroup* group = step.state.find_consumer_group(key.group.value());
  const ConsumerMember* member = group != nullptr ? group->find_member(key.member.value()) : nullptr;
  if (member == nullptr || !member->classic) return;
  log::info(kLogName, "[{}] member {} is fenced: it has not {} within {} ms", key.group, key.member,
            key.kind == TimerKind::kConsumerJoin ? "joined again" : "asked for its assignment",
            member->rebalance_timeout_ms);
  fence_member(step, key.group.value(), *group, *member);
}

void on_consumer_session_timer(const Step& step, const TimerKey& key) {
  const ConsumerGroup* group = step.state.find_consumer_group(key.group.value());
  const ConsumerMember* member = group != nullptr ? group->find_member(key.member.value()) : nullptr;
  if (member == nullptr) return;
  if (member->soft.session_deadline && *member->soft.session_deadline > step.context.now.mono) {
    member->soft.session_timer = member->soft.session_deadline;
    step.output.timers.push_back(SetTimer{key, *member->soft.session_deadline});
    return;
  }
  log::info(kLogName, "[{}] member {} is fenced: its session has ended", key.group, key.member);
  fence_member(step, key.group.value(), *group, *member);
}

void on_consumer_rebalance_timer(const Step& step, const TimerKey& key) {
  const ConsumerGroup* group = step.state.find_consumer_group(key.group.value());
  const ConsumerMember* member = group != nullptr ? group->find_member(key.member.value()) : nullptr;
  // A member that moved on has cancelled the timer; one that left for a while (-2) is its session's business.
  if (member == nullptr || member->state != MemberState::kUnrevokedPartitions) return;
  if (member->epoch == protocol::kLeaveGroupStaticMemberEpoch) return;
  log::info(kLogName, "[{}] member {} is fenced: it has not left epoch {} within {} ms", key.group, key.member,
            member->epoch, member->rebalance_timeout_ms);
  fence_member(step, key.group.value(), *group, *member);
}

void on_consumer_loaded(const Step& step) {
  step.state.soft.metadata = step.context.metadata;
  step.state.soft.new_topics_version = step.context.metadata->version();
  for (const auto& [id, group] : step.state.consumer_groups) {
    for (const auto& [member_id, member] : group.members) {
      restart_session(step, id.value(), member, false);
      if (member.state == MemberState::kUnrevokedPartitions) start_rebalance_timer(step, id.value(), member);
    }
  }
}

}  // namespace cohort::coordinator
