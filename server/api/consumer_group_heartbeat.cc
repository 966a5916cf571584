// ConsumerGroupHeartbeat v0-1 (key 68): the one call of a KIP-848 member: join, stay, leave, learn the assignment.
//   v1 regular expressions of the server; the member makes its own id.
// Everything is the coordinator's to decide, and to refuse: nothing is looked at here.
#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_consumer_group_heartbeat(Call call, protocol::ConsumerGroupHeartbeatRequest request) {
  using Response = protocol::ConsumerGroupHeartbeatResponse;
  coordinator::ConsumerHeartbeat heartbeat;
  heartbeat.client.client_id = Text::borrow(call.client_id());
  heartbeat.client.client_host = Text::borrow(call.peer().client_host);
  heartbeat.version = call.version();
  heartbeat.request = std::move(request);

  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(heartbeat.request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  ask_partition(groups, partition, std::move(heartbeat), std::move(frame),
                [call = std::move(call)](runtime::GroupCall& done) mutable {
                  if (const auto* refused = std::get_if<coordinator::Refused>(&done.response())) {
                    Response response;
                    response.error_code = to_wire(refused_error(refused->error));
                    response.error_message = optional_text(refused->message);
                    return call.reply(response);
                  }
                  call.reply(std::get<Response>(done.response()));
                });
}

}  // namespace cohort::api
