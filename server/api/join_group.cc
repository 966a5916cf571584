// JoinGroup v0-9 (key 11): a member of a classic group asks for the next generation; answered when the others are
// there.
//   v1 rebalance timeout; v4 a new member is told its id first (KIP-394); v5 instance ids; v7 protocol type, and the
//   protocol may be null; v8 reason; v9 a leader may be told that nothing is to be assigned (KIP-814).
// Everything is the coordinator's to decide, and to refuse: nothing is looked at here.
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/join_group_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Response = protocol::JoinGroupResponse;

// "No protocol" was an empty one before version 7 (Kafka's JoinGroupResponse).
void reply(Call& call, Response response) {
  constexpr std::int16_t kFirstVersionWithNullProtocol = 7;
  if (response.protocol_name && response.protocol_name->empty() && call.version() >= kFirstVersionWithNullProtocol) {
    response.protocol_name.reset();
  }
  call.reply(response);
}

}  // namespace

void handle_join_group(Call call, protocol::JoinGroupRequest request) {
  coordinator::JoinGroup join;
  join.client.client_id = Text::borrow(call.client_id());
  join.client.client_host = Text::borrow(call.peer().client_host);
  join.version = call.version();
  join.request = std::move(request);

  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(join.request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  ask_partition(
      groups, partition, std::move(join), std::move(frame),
      [call = std::move(call)](runtime::GroupCall& done) mutable { reply(call, response_of<Response>(done)); });
}

}  // namespace cohort::api
