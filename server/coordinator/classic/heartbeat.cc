// Heartbeat of a classic member. After Kafka's classicGroupHeartbeatToClassicGroup.
#include "protocol/messages/heartbeat_response.h"
#include "server/coordinator/classic/internal.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

void reply(const Step& step, ReplyToken token, ErrorCode error, std::int64_t after) {
  protocol::HeartbeatResponse response;
  response.error_code = to_wire(error);
  step.output.replies.push_back({token, std::move(response), after});
}

}  // namespace

void handle_classic_heartbeat(const Step& step, ReplyToken token, const ClassicHeartbeat& heartbeat) {
  const auto& request = heartbeat.request;
  if (request.group_id.empty()) return reply(step, token, ErrorCode::kInvalidGroupId, kNoRecord);
  const auto at = find_round(step, request.group_id);
  if (!at) {
    const FoundGroup found = find_group(step.state, request.group_id);
    if (found.consumer != nullptr) return heartbeat_consumer_group(step, token, heartbeat, *found.consumer);
    const std::int64_t after = rests_on(step.state, found);
    return reply(step, token, ErrorCode::kUnknownMemberId, after);
  }
  const ErrorCode error = validate_member(at->round, request.member_id, view_of(request.group_instance_id));
  if (error != ErrorCode::kNone) return reply(step, token, error, at->after);
  if (request.generation_id != at->round.generation().value()) {
    return reply(step, token, ErrorCode::kIllegalGeneration, at->after);
  }
  restart_session(*at, *at->round.find(request.member_id));
  const bool must_join = at->round.is(ClassicGroupState::kPreparingRebalance);
  reply(step, token, must_join ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone, at->after);
}

}  // namespace cohort::coordinator
