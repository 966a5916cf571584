// ConsumerGroupDescribe v0-1 (key 69): consumer groups with members and assignments; v1 tells members of the classic
// protocol apart. Groups of one shard are asked for together. An empty id is INVALID_GROUP_ID; what a shard cannot
// answer gets its error per group (GroupCoordinatorService.consumerGroupDescribe).
#include "protocol/messages/consumer_group_describe_request.h"
#include "protocol/messages/consumer_group_describe_response.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Response = protocol::ConsumerGroupDescribeResponse;

Response::DescribedGroup failed(std::string_view id, ErrorCode error) {
  Response::DescribedGroup out;
  out.group_id = Text(id);
  out.error_code = to_wire(error);
  return out;
}

void add(Response& response, coordinator::GroupResponse& answer, const std::vector<protocol::GroupId>& ids) {
  if (const auto* refused = std::get_if<coordinator::Refused>(&answer)) {
    for (const auto& id : ids) response.groups.push_back(failed(id.value(), refused_error(refused->error)));
    return;
  }
  for (auto& group : std::get<coordinator::ConsumerGroupDescriptions>(answer)) {
    response.groups.push_back(std::move(group));
  }
}

}  // namespace

void handle_consumer_group_describe(Call call, protocol::ConsumerGroupDescribeRequest request) {
  const runtime::GroupRouter& groups = call.services().groups;
  Response response;
  if (std::erase_if(request.group_ids, [](const Text& id) { return id.empty(); }) > 0) {
    response.groups.push_back(failed("", ErrorCode::kInvalidGroupId));
  }
  auto split = split_by_shard(groups, request.group_ids);
  std::vector<runtime::GroupRouter::Part> parts;
  for (const auto& [partition, ids] : split) {
    parts.push_back({partition, coordinator::DescribeConsumerGroups{ids}});
  }
  std::shared_ptr<const void> frame = call.frame();
  struct Pending {
    Call call;
    Response response;
    decltype(split) asked;
    bool operations;
  };
  auto pending = std::make_shared<Pending>(std::move(call), std::move(response), std::move(split),
                                           request.include_authorized_operations);
  groups.scatter(std::move(parts), std::move(frame), [pending](std::vector<coordinator::GroupResponse> answers) {
    for (std::size_t i = 0; i < answers.size(); ++i) add(pending->response, answers[i], pending->asked[i].second);
    for (auto& group : pending->response.groups) {
      if (pending->operations && group.error_code == 0) group.authorized_operations = kGroupOperations;
    }
    pending->call.reply(pending->response);
  });
}

}  // namespace cohort::api
