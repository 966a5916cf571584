// DeleteGroups v0-2 (key 42): groups without members and their offsets. Versions differ in encoding and throttling
// only. An id that stands twice is answered once; the empty id is legal (GroupCoordinatorService.deleteGroups).
#include "protocol/messages/delete_groups_request.h"
#include "protocol/messages/delete_groups_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Response = protocol::DeleteGroupsResponse;

void add(Response& response, coordinator::GroupResponse& answer, const std::vector<protocol::GroupId>& ids) {
  if (const auto* refused = std::get_if<coordinator::Refused>(&answer)) {
    for (const auto& id : ids) {
      Response::DeletableGroupResult out;
      out.group_id = Text(id.value());
      out.error_code = to_wire(refused_error(refused->error));
      response.results.push_back(std::move(out));
    }
    return;
  }
  for (auto& result : std::get<coordinator::DeletedGroups>(answer)) response.results.push_back(std::move(result));
}

}  // namespace

void handle_delete_groups(Call call, protocol::DeleteGroupsRequest request) {
  const runtime::GroupRouter& groups = call.services().groups;
  auto split = split_by_shard(groups, request.groups_names);
  std::vector<runtime::GroupRouter::Part> parts;
  for (const auto& [partition, ids] : split) parts.push_back({partition, coordinator::DeleteGroups{ids}});
  std::shared_ptr<const void> frame = call.frame();
  struct Pending {
    Call call;
    decltype(split) asked;
  };
  auto pending = std::make_shared<Pending>(std::move(call), std::move(split));
  groups.scatter(std::move(parts), std::move(frame), [pending](std::vector<coordinator::GroupResponse> answers) {
    Response response;
    for (std::size_t i = 0; i < answers.size(); ++i) add(response, answers[i], pending->asked[i].second);
    pending->call.reply(response);
  });
}

}  // namespace cohort::api
