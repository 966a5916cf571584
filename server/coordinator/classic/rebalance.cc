// The two waits of a rebalance: for the members to join, and for the leader to share out. After Kafka's
// GroupMetadataManager: prepareRebalance, completeClassicGroupJoin, tryCompleteInitialRebalanceElseSchedule,
// expirePendingSync.
#include <algorithm>
#include <vector>

#include "protocol/base/log.h"
#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {
namespace {

using enum ClassicGroupState;
using protocol::ErrorCode;

// Dynamic members that have not joined in time; static ones keep their place until their session ends.
void remove_missing_members(const RoundStep& at) {
  std::vector<RoundMember*> missing;
  at.round.for_each([&](RoundMember& member) {
    if (!member.has_joined() && !member.instance_id) missing.push_back(&member);
  });
  for (RoundMember* member : missing) {
    log::info(kClassicLogName, "[{}] member {} is removed: it has not joined in time", at.group, member->id);
    remove_member(at, *member);
  }
}

void answer_joins(const RoundStep& at) {
  at.round.for_each([&](RoundMember& member) {
    if (const auto token = at.round.take_join(member)) reply_joined(at, *token, member);
    restart_session(at, member);
    member.is_new = false;
    at.round.set_owes_sync(member, true);
  });
}

}  // namespace

void rebalance_or_complete(const RoundStep& at, std::string_view reason) {
  if (!at.round.is(kPreparingRebalance)) return prepare_rebalance(at, reason);
  complete_if_all_joined(at);
}

void prepare_rebalance(const RoundStep& at, std::string_view reason) {
  Round& round = at.round;
  // Whoever waits for the leader's assignment has to join again; what the leader was told is out of date.
  if (round.is(kCompletingRebalance)) {
    round.for_each([&](RoundMember& member) {
      member.assignment = {};
      if (!member.sync) return;
      fail_sync(at, member, ErrorCode::kRebalanceInProgress);
      restart_session(at, member);  // it could not send heartbeats while it waited
    });
  }
  round.for_each([&](RoundMember& member) { round.set_owes_sync(member, false); });
  cancel_sync_timer(at);

  round.enter(kPreparingRebalance, at.step.context.now.wall_ms);
  log::info(kClassicLogName, "[{}] prepares a rebalance after generation {}: {}", at.group, round.generation(), reason);
  const Duration timeout{round.rebalance_timeout_ms()};
  if (round.is_initial()) {
    round.initial_delay = at.step.config.classic_initial_rebalance_delay;
    round.initial_delay_left = std::max(timeout - round.initial_delay, Duration{0});
    return start_join_timer(at, round.initial_delay);
  }
  if (round.have_all_joined()) return complete_join(at);
  start_join_timer(at, timeout);
}

void complete_if_all_joined(const RoundStep& at) {
  if (at.round.is(kPreparingRebalance) && !at.round.is_initial() && at.round.have_all_joined()) complete_join(at);
}

void complete_join(const RoundStep& at) {
  Round& round = at.round;
  cancel_join_timer(at);
  remove_missing_members(at);
  if (!round.members().empty() && !round.elect_joined_leader()) {
    // Static members alone, and none has come: until they come or their sessions end.
    log::info(kClassicLogName, "[{}] cannot end its rebalance: none of its members has joined", at.group);
    return start_join_timer(at, Duration{round.rebalance_timeout_ms()});
  }
  round.begin_generation(at.step.context.now.wall_ms);
  if (round.is(kEmpty)) {
    log::info(kClassicLogName, "[{}] is empty in generation {}", at.group, round.generation());
    at.step.output.records.push_back(group_record(at));
    return;
  }
  log::info(kClassicLogName, "[{}] generation {} has {} members", at.group, round.generation(), round.members().size());
  answer_joins(at);
  start_sync_timer(at, Duration{round.rebalance_timeout_ms()});
}

void park_join(const RoundStep& at, RoundMember& member, ReplyToken token) {
  if (const auto replaced = at.round.park_join(member, token)) {
    reply_join_error(at.step, *replaced, member.id.value(), ErrorCode::kRebalanceInProgress, at.after);
  }
}

void remove_member(const RoundStep& at, RoundMember& member) {
  cancel_session(at, member.id.value());
  const protocol::MemberId id = member.id;
  at.round.remove(id.value());
}

void on_classic_join_timer(const Step& step, const TimerKey& key) {
  const auto at = find_round(step, key.group.value());
  if (!at || !at->round.is(kPreparingRebalance)) return;
  Round& round = at->round;
  if (!round.join_deadline || *round.join_deadline > step.context.now.mono) return;
  if (!round.is_initial() || !round.member_came || round.initial_delay_left == Duration{0}) return complete_join(*at);
  // Others came while it ran: a little longer, they may be followed by more.
  round.member_came = false;
  const Duration ran = round.initial_delay;
  round.initial_delay = std::min(step.config.classic_initial_rebalance_delay, round.initial_delay_left);
  round.initial_delay_left = std::max(round.initial_delay_left - ran, Duration{0});
  start_join_timer(*at, round.initial_delay);
}

void on_classic_sync_timer(const Step& step, const TimerKey& key) {
  const auto at = find_round(step, key.group.value());
  if (!at || (!at->round.is(kCompletingRebalance) && !at->round.is(kStable))) return;
  Round& round = at->round;
  if (!round.sync_deadline || *round.sync_deadline > step.context.now.mono || round.have_all_synced()) return;
  std::vector<RoundMember*> silent;
  round.for_each([&](RoundMember& member) {
    if (member.owes_sync()) silent.push_back(&member);
  });
  for (RoundMember* member : silent) {
    log::info(kClassicLogName, "[{}] member {} is removed: it has not synced in time", at->group, member->id);
    remove_member(*at, *member);
  }
  prepare_rebalance(*at, "members have not synced in time");
}

}  // namespace cohort::coordinator
