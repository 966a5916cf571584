// A static member that comes back without its member id: it was restarted and takes its own place under a new id. After
// Kafka's updateStaticMemberThenRebalanceOrCompleteJoin (KIP-345, KIP-814).
#include <fmt/format.h>

#include <utility>

#include "protocol/base/log.h"
#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {
namespace {

using enum ClassicGroupState;
using protocol::ErrorCode;

constexpr std::int16_t kFirstVersionWithSkipAssignment = 9;

// The assignments stay as they are. A leader is told so, with the members, so that it can follow changes of topics; one
// that cannot be told sees its former id as the leader's, and does not assign.
void reply_unchanged(const RoundStep& at, ReplyToken token, const RoundMember& member, std::int16_t version,
                     std::string_view former_leader) {
  const bool knows = version >= kFirstVersionWithSkipAssignment;
  reply_joined(at, token, member);
  auto& response = std::get<protocol::JoinGroupResponse>(at.step.output.replies.back().response);
  response.skip_assignment = knows && at.round.is_leader(member.id.value());
  if (knows) return;
  response.leader = former_leader;
  response.members.clear();
}

}  // namespace

void join_restarted_static(const RoundStep& at, ReplyToken token, const JoinGroup& join, RoundMember& old,
                           ClassicProtocols protocols) {
  Round& round = at.round;
  const std::string old_id = old.id.value();
  const std::string leader = round.leader() ? round.leader()->value() : std::string();
  const std::string id = fmt::format("{}-{}", old.instance_id->value(), at.step.context.ids.next_uuid().to_string());
  log::info(kClassicLogName, "[{}] member {} replaces static member {}", at.group, id, old_id);

  // 1. Whoever still waits as the old one is fenced.
  fail_join(at, old, old_id, ErrorCode::kFencedInstanceId);
  fail_sync(at, old, ErrorCode::kFencedInstanceId);
  cancel_session(at, old_id);
  RoundMember& member = round.replace_static(old_id, id);
  round.set_protocols(member, std::move(protocols));
  member.rebalance_timeout_ms = rebalance_timeout_ms(join);
  member.session_timeout_ms = join.request.session_timeout_ms;
  restart_session(at, member);

  // 2. In a stable group nothing changes but the id, as long as the protocol stays the same.
  if (round.is(kStable) && round.protocol() == round.select_protocol()) {
    at.step.output.records.push_back(group_record(at));
    return reply_unchanged(at, token, member, join.version, leader);
  }

  // 3. Otherwise it joins like the others. While they wait for the leader, its old id may stand in what the leader
  // shares out: then all begin anew.
  park_join(at, member, token);
  rebalance_or_complete(at, fmt::format("static member {} came back", id));
}

}  // namespace cohort::coordinator
