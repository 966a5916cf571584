// SyncGroup v0-5 (key 14): a member of a classic group asks for its assignment; the leader brings all of them.
//   v3 instance ids; v5 protocol type and name, which must be given.
#include "protocol/messages/sync_group_request.h"
#include "protocol/messages/sync_group_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_sync_group(Call call, protocol::SyncGroupRequest request) {
  using Response = protocol::SyncGroupResponse;
  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  coordinator::SyncGroup sync{.request = std::move(request), .version = call.version()};
  ask_partition(
      groups, partition, std::move(sync), std::move(frame),
      [call = std::move(call)](runtime::GroupCall& done) mutable { call.reply(response_of<Response>(done)); });
}

}  // namespace cohort::api
