// DescribeGroups v0-6 (key 15): groups of the classic protocol.
//   v3 authorized operations; v4 instance ids; v6 a missing group is GROUP_ID_NOT_FOUND with a message, before it is
//   "Dead" without an error.
// The empty id is legal here (GroupCoordinatorService.describeGroups). Groups of one shard are asked for together.
#include "protocol/messages/describe_groups_request.h"
#include "protocol/messages/describe_groups_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Response = protocol::DescribeGroupsResponse;

void add(Response& response, coordinator::GroupResponse& answer, const std::vector<protocol::GroupId>& ids) {
  if (const auto* refused = std::get_if<coordinator::Refused>(&answer)) {
    for (const auto& id : ids) {
      Response::DescribedGroup out;
      out.group_id = Text(id.value());
      out.error_code = to_wire(refused_error(refused->error));
      response.groups.push_back(std::move(out));
    }
    return;
  }
  for (auto& group : std::get<coordinator::ClassicGroupDescriptions>(answer)) {
    response.groups.push_back(std::move(group));
  }
}

}  // namespace

void handle_describe_groups(Call call, protocol::DescribeGroupsRequest request) {
  const runtime::GroupRouter& groups = call.services().groups;
  auto split = split_by_shard(groups, request.groups);
  std::vector<runtime::GroupRouter::Part> parts;
  for (const auto& [partition, ids] : split) {
    parts.push_back({partition, coordinator::DescribeClassicGroups{ids, call.version()}});
  }
  const bool operations = call.version() >= 3 && request.include_authorized_operations;
  std::shared_ptr<const void> frame = call.frame();
  struct Pending {
    Call call;
    decltype(split) asked;
  };
  auto pending = std::make_shared<Pending>(std::move(call), std::move(split));
  groups.scatter(std::move(parts), std::move(frame),
                 [pending, operations](std::vector<coordinator::GroupResponse> answers) {
                   Response response;
                   for (std::size_t i = 0; i < answers.size(); ++i) add(response, answers[i], pending->asked[i].second);
                   for (auto& group : response.groups) {
                     if (operations && group.error_code == 0) group.authorized_operations = kGroupOperations;
                   }
                   pending->call.reply(response);
                 });
}

}  // namespace cohort::api
