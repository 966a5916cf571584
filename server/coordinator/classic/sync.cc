// SyncGroup: the leader brings the assignments, the others wait for them. After Kafka's classicGroupSyncToClassicGroup.
//
// In Kafka the group becomes stable and the waiting are answered when the record is written; if somebody joined
// meanwhile the record is in the log all the same and says that the group is stable. Here it is one step: the record,
// the new state and the answers, which wait for the record.
#include <map>
#include <string>

#include "protocol/base/log.h"
#include "server/coordinator/classic/internal.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {
namespace {

using enum ClassicGroupState;
using protocol::ErrorCode;
using Request = protocol::SyncGroupRequest;

// Not named, or the group's.
bool is_consistent(const std::optional<protocol::Text>& named, std::string_view own) {
  return !named || named->view() == own;
}

ErrorCode validate(const RoundStep& at, const Request& request) {
  Round& round = at.round;
  const ErrorCode error = validate_member(round, request.member_id, view_of(request.group_instance_id));
  if (error != ErrorCode::kNone) return error;
  if (request.generation_id != round.generation().value()) return ErrorCode::kIllegalGeneration;
  if (!is_consistent(request.protocol_type, round.protocol_type()) ||
      !is_consistent(request.protocol_name, round.protocol().value_or(""))) {
    return ErrorCode::kInconsistentGroupProtocol;
  }
  return round.is(kPreparingRebalance) ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone;
}

// Members that the leader left out get an empty assignment.
void take_assignments(const RoundStep& at, const Request& request) {
  std::map<std::string_view, const protocol::Bytes*> assignments;
  for (const auto& one : request.assignments) assignments.insert_or_assign(one.member_id.view(), &one.assignment);
  at.round.for_each([&](RoundMember& member) {
    const auto found = assignments.find(member.id.value());
    member.assignment = found != assignments.end() ? *found->second : protocol::Bytes();
  });
}

void share_out(const RoundStep& at, const Request& request) {
  Round& round = at.round;
  log::info(kClassicLogName, "[{}] generation {} is stable; its leader is {}", at.group, round.generation(),
            request.member_id);
  take_assignments(at, request);
  round.enter(kStable, at.step.context.now.wall_ms);
  at.step.output.records.push_back(group_record(at));
  round.for_each([&](RoundMember& member) {
    const auto token = std::exchange(member.sync, std::nullopt);
    if (!token) return;
    reply_sync(at, *token, member);
    restart_session(at, member);  // it could not send heartbeats while it waited
  });
}

}  // namespace

void handle_sync_group(const Step& step, ReplyToken token, const SyncGroup& sync) {
  const Request& request = sync.request;
  // Kafka: SyncGroupRequest.areMandatoryProtocolTypeAndNamePresent, checked before the group is looked for.
  constexpr std::int16_t kFirstVersionWithProtocol = 5;
  if (sync.version >= kFirstVersionWithProtocol && (!request.protocol_type || !request.protocol_name)) {
    return reply_sync_error(step, token, ErrorCode::kInconsistentGroupProtocol, kNoRecord);
  }
  if (request.group_id.empty()) return reply_sync_error(step, token, ErrorCode::kInvalidGroupId, kNoRecord);
  const auto at = find_round(step, request.group_id);
  if (!at) {
    const FoundGroup found = find_group(step.state, request.group_id);
    if (found.consumer != nullptr) return sync_consumer_group(step, token, sync, *found.consumer);
    const std::int64_t after = rests_on(step.state, found);
    return reply_sync_error(step, token, ErrorCode::kUnknownMemberId, after);
  }
  if (const ErrorCode error = validate(*at, request); error != ErrorCode::kNone) {
    return reply_sync_error(step, token, error, at->after);
  }

  Round& round = at->round;
  RoundMember& member = *round.find(request.member_id);
  round.set_owes_sync(member, false);
  if (round.have_all_synced()) cancel_sync_timer(*at);
  if (round.is(kStable)) return reply_sync(*at, token, member);
  fail_sync(*at, member, ErrorCode::kRebalanceInProgress);  // a client that asks again has given up the first
  member.sync = token;
  if (round.is_leader(request.member_id)) share_out(*at, request);
}

}  // namespace cohort::coordinator
