// LeaveGroup v0-5 (key 13): members go, or are taken out by an administrator.
//   v3 several members, each with its own error, static ones by instance id; before, one member and one error;
//   v5 reason.
#include "protocol/messages/leave_group_request.h"
#include "protocol/messages/leave_group_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Response = protocol::LeaveGroupResponse;

constexpr std::int16_t kFirstVersionWithMembers = 3;

void reply(Call& call, Response response) {
  if (call.version() < kFirstVersionWithMembers && response.error_code == 0 && !response.members.empty()) {
    response.error_code = response.members.front().error_code;
  }
  if (call.version() < kFirstVersionWithMembers) response.members.clear();
  call.reply(response);
}

}  // namespace

void handle_leave_group(Call call, protocol::LeaveGroupRequest request) {
  if (call.version() < kFirstVersionWithMembers) {
    request.members.clear();
    request.members.emplace_back().member_id = std::move(request.member_id);
  }
  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  ask_partition(
      groups, partition, coordinator::LeaveGroup{std::move(request)}, std::move(frame),
      [call = std::move(call)](runtime::GroupCall& done) mutable { reply(call, response_of<Response>(done)); });
}

}  // namespace cohort::api
