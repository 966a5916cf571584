// LeaveGroup: members that go, or that an administrator takes out by their instance ids. After Kafka's
// classicGroupLeaveToClassicGroup.
#include <utility>

#include "protocol/base/log.h"
#include "protocol/messages/leave_group_response.h"
#include "server/coordinator/classic/internal.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {
namespace {

using enum ClassicGroupState;
using protocol::ErrorCode;
using Identity = protocol::LeaveGroupRequest::MemberIdentity;

ErrorCode remove(const RoundStep& at, const Identity& who) {
  Round& round = at.round;
  const std::string_view reason = reason_of(who.reason);
  RoundMember* member = nullptr;
  if (who.member_id.empty()) {
    // An administrator names the instance alone.
    if (who.group_instance_id) member = round.find_static(*who.group_instance_id);
    if (member == nullptr) return ErrorCode::kUnknownMemberId;
  } else if (round.find_pending(who.member_id) != nullptr) {
    log::info(kClassicLogName, "[{}] member {} leaves before it has joined; client reason: {}", at.group, who.member_id,
              reason);
    round.remove_pending(who.member_id);
    cancel_session(at, who.member_id);
    return ErrorCode::kNone;
  } else {
    const ErrorCode error = validate_member(round, who.member_id, view_of(who.group_instance_id));
    if (error != ErrorCode::kNone) return error;
    member = round.find(who.member_id);
  }
  log::info(kClassicLogName, "[{}] member {} leaves; client reason: {}", at.group, member->id, reason);
  fail_join(at, *member, {}, ErrorCode::kUnknownMemberId);
  fail_sync(at, *member, ErrorCode::kUnknownMemberId);
  remove_member(at, *member);
  return ErrorCode::kNone;
}

}  // namespace

void handle_leave_group(const Step& step, ReplyToken token, const LeaveGroup& leave) {
  const auto& request = leave.request;
  protocol::LeaveGroupResponse response;
  const auto reply = [&](std::int64_t after) { step.output.replies.push_back({token, std::move(response), after}); };
  if (request.group_id.empty()) {
    response.error_code = to_wire(ErrorCode::kInvalidGroupId);
    return reply(kNoRecord);
  }

  if (const ConsumerGroup* group = step.state.find_consumer_group(request.group_id)) {
    return leave_consumer_group(step, token, leave, *group);
  }
  const auto at = find_round(step, request.group_id);
  bool has_left = false;
  for (const Identity& who : request.members) {
    const ErrorCode error = at ? remove(*at, who) : ErrorCode::kUnknownMemberId;
    has_left = has_left || error == ErrorCode::kNone;
    response.members.push_back(
        {.member_id = who.member_id, .group_instance_id = who.group_instance_id, .error_code = to_wire(error)});
  }
  reply(at ? at->after : rests_on(step.state, find_group(step.state, request.group_id)));
  if (!has_left) return;
  if (at->round.is(kStable) || at->round.is(kCompletingRebalance)) return prepare_rebalance(*at, "members have left");
  complete_if_all_joined(*at);
}

}  // namespace cohort::coordinator
