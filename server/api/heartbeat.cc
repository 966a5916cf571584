// Heartbeat v0-4 (key 12): a member of a classic group is there; 27 in the answer asks it to join again.
//   v3 instance ids.
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_heartbeat(Call call, protocol::HeartbeatRequest request) {
  using Response = protocol::HeartbeatResponse;
  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  ask_partition(groups, partition, coordinator::ClassicHeartbeat{std::move(request)}, std::move(frame),
                [call = std::move(call)](runtime::GroupCall& done) mutable {
                  auto response = response_of<Response>(done);
                  // While the group loads nobody knows better, and the sessions begin anew afterwards
                  // (GroupCoordinatorService.heartbeat).
                  if (response.error_code == to_wire(ErrorCode::kCoordinatorLoadInProgress)) response.error_code = 0;
                  call.reply(response);
                });
}

}  // namespace cohort::api
