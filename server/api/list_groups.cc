// ListGroups v0-5 (key 16): all groups, or those in given states (v4, KIP-518) and of given types (v5, KIP-848); names
// of states and types are compared without case, unknown ones match nothing. Every shard is asked. A shard that is
// still loading makes the whole answer an error, so that no client takes a part for the whole.
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_list_groups(Call call, protocol::ListGroupsRequest request) {
  using Response = protocol::ListGroupsResponse;
  coordinator::ListGroups list;
  for (const Text& state : request.states_filter) list.states.push_back(state.str());
  for (const Text& type : request.types_filter) list.types.push_back(type.str());
  const runtime::GroupRouter& groups = call.services().groups;
  auto pending = std::make_shared<Call>(std::move(call));
  groups.broadcast(std::move(list), [pending](std::vector<coordinator::GroupResponse> answers) {
    Response response;
    for (coordinator::GroupResponse& answer : answers) {
      if (const auto* refused = std::get_if<coordinator::Refused>(&answer)) {
        // A shard that has lost its log has no groups for now (NotCoordinatorException is no error in Kafka either).
        const ErrorCode error = refused_error(refused->error);
        if (error == ErrorCode::kNotCoordinator) continue;
        response.groups.clear();
        response.error_code = to_wire(error);
        break;
      }
      for (auto& group : std::get<coordinator::ListedGroups>(answer)) {
        // Fields that the version does not have may not be set.
        if (pending->version() < 4) group.group_state = Text();
        if (pending->version() < 5) group.group_type = Text();
        response.groups.push_back(std::move(group));
      }
    }
    pending->reply(response);
  });
}

}  // namespace cohort::api
