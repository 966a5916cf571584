// OffsetDelete v0 (key 47): removes committed offsets of a group (KIP-496). Topics and partitions that do not exist are
// answered here with UNKNOWN_TOPIC_OR_PARTITION. An empty group id is INVALID_GROUP_ID for the whole answer, and so is
// every error of the shard (GroupCoordinatorService.deleteOffsets).
#include <optional>

#include "protocol/messages/offset_delete_request.h"
#include "protocol/messages/offset_delete_response.h"
#include "server/api/answered_topics.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::OffsetDeleteRequest;
using Response = protocol::OffsetDeleteResponse;
using ResponseTopic = Response::OffsetDeleteResponseTopic;

// Takes out of the request what does not exist and answers it.
AnsweredPlaces resolve(Request& request, const topics::CatalogueSnapshot& snapshot, Response& response) {
  AnsweredPlaces places;
  std::erase_if(request.topics, [&](Request::OffsetDeleteRequestTopic& topic) {
    const topics::TopicInfo* info = snapshot.find(topic.name.view());
    ResponseTopic answered;
    answered.name = Text(topic.name);
    std::erase_if(topic.partitions, [&](const auto& partition) {
      if (has_partition(info, partition.partition_index)) return false;
      Response::OffsetDeleteResponsePartition out;
      out.partition_index = partition.partition_index;
      out.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
      answered.partitions.push_back(out);
      return true;
    });
    const bool is_answered = !answered.partitions.empty() || info == nullptr;
    if (is_answered) response.topics.push_back(std::move(answered));
    if (topic.partitions.empty()) return true;
    places.push_back(is_answered ? std::optional(response.topics.size() - 1) : std::nullopt);
    return false;
  });
  return places;
}

void answer_error(Call& call, ErrorCode error) {
  Response response;
  response.error_code = to_wire(error);
  call.reply(response);
}

}  // namespace

void handle_offset_delete(Call call, Request request) {
  if (request.group_id.empty()) return answer_error(call, ErrorCode::kInvalidGroupId);
  Response response;
  AnsweredPlaces places = resolve(request, *call.services().topics.snapshot(), response);

  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  ask_partition(groups, partition, coordinator::DeleteOffsets{std::move(request)}, std::move(frame),
                [call = std::move(call), response = std::move(response),
                 places = std::move(places)](runtime::GroupCall& done) mutable {
                  if (const auto* refused = std::get_if<coordinator::Refused>(&done.response())) {
                    return answer_error(call, refused_error(refused->error));
                  }
                  auto& deleted = std::get<Response>(done.response());
                  // An error for the group leaves no answers per partition (OffsetDeleteResponse.Builder.merge).
                  if (deleted.error_code != 0) return answer_error(call, static_cast<ErrorCode>(deleted.error_code));
                  join_answers(response.topics, std::move(deleted.topics), places);
                  call.reply(response);
                });
}

}  // namespace cohort::api
