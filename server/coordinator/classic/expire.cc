// Sessions and the timers of a round. A heartbeat only moves the deadline in the round; the timer, when it fires too
// early, sets itself again. After Kafka's expireClassicGroupMemberHeartbeat.
#include "protocol/base/log.h"
#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

TimerKey key_of(TimerKind kind, std::string_view group, std::string_view member = {}) {
  return {kind, protocol::GroupId(std::string(group)), protocol::MemberId(std::string(member))};
}

void set_timer(const RoundStep& at, TimerKind kind, MonoTime deadline) {
  at.step.output.timers.push_back(SetTimer{key_of(kind, at.group), deadline});
}

// Is it still to come? Then the timer is set again.
bool goes_on(const Step& step, const TimerKey& key, ClassicSession& session) {
  if (session.deadline <= step.context.now.mono) return false;
  session.timer = session.deadline;
  step.output.timers.push_back(SetTimer{key, session.deadline});
  return true;
}

void expire_member(const RoundStep& at, RoundMember& member) {
  log::info(kClassicLogName, "[{}] member {} is removed: its session has ended", at.group, member.id);
  // A new member that still waits may be there yet: it shall join again.
  fail_join(at, member, {}, ErrorCode::kUnknownMemberId);
  remove_member(at, member);
  if (at.round.is(ClassicGroupState::kPreparingRebalance)) return complete_if_all_joined(at);
  prepare_rebalance(at, "a member's session has ended");
}

}  // namespace

void restart_session(const RoundStep& at, std::string_view member, ClassicSession& session, Duration timeout) {
  session.deadline = at.step.context.now.mono + timeout;
  if (session.timer && *session.timer <= session.deadline) return;
  session.timer = session.deadline;
  at.step.output.timers.push_back(SetTimer{key_of(TimerKind::kClassicSession, at.group, member), session.deadline});
}

void restart_session(const RoundStep& at, RoundMember& member) {
  restart_session(at, member.id.value(), member.session, Duration{member.session_timeout_ms});
}

void cancel_session(const RoundStep& at, std::string_view member) {
  at.step.output.timers.push_back(CancelTimer{key_of(TimerKind::kClassicSession, at.group, member)});
}

void start_join_timer(const RoundStep& at, Duration wait) {
  at.round.join_deadline = at.step.context.now.mono + wait;
  set_timer(at, TimerKind::kClassicJoin, *at.round.join_deadline);
}

void start_sync_timer(const RoundStep& at, Duration wait) {
  at.round.sync_deadline = at.step.context.now.mono + wait;
  set_timer(at, TimerKind::kClassicSync, *at.round.sync_deadline);
}

void cancel_join_timer(const RoundStep& at) {
  at.round.join_deadline.reset();
  at.step.output.timers.push_back(CancelTimer{key_of(TimerKind::kClassicJoin, at.group)});
}

void cancel_sync_timer(const RoundStep& at) {
  at.round.sync_deadline.reset();
  at.step.output.timers.push_back(CancelTimer{key_of(TimerKind::kClassicSync, at.group)});
}

void cancel_timers(const RoundStep& at) {
  for (const auto& [id, member] : at.round.members()) cancel_session(at, id.value());
  for (const auto& [id, session] : at.round.pending()) cancel_session(at, id.value());
  for (const TimerKind kind : {TimerKind::kClassicJoin, TimerKind::kClassicSync}) {
    at.step.output.timers.push_back(CancelTimer{key_of(kind, at.group)});
  }
}

void on_classic_session_timer(const Step& step, const TimerKey& key) {
  const auto at = find_round(step, key.group.value());
  if (!at) return;
  const std::string_view id = key.member.value();
  if (ClassicSession* pending = at->round.find_pending(id)) {
    if (goes_on(step, key, *pending)) return;
    log::info(kClassicLogName, "[{}] member {} has not joined with the id that it was given", at->group, id);
    at->round.remove_pending(id);
    return complete_if_all_joined(*at);
  }
  RoundMember* member = at->round.find(id);
  if (member == nullptr || goes_on(step, key, member->session)) return;
  // While it waits for an answer it cannot send heartbeats; its session begins anew with the answer.
  if (!member->is_new && (member->has_joined() || member->sync)) {
    member->session.timer.reset();
    return;
  }
  expire_member(*at, *member);
}

void on_classic_loaded(const Step& step) {
  for (const auto& [id, group] : step.state.classic_groups) restore_round(step, id.value(), group);
}

}  // namespace cohort::coordinator
