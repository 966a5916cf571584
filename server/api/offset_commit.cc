// OffsetCommit v2-10 (key 8): offsets of a group into __consumer_offsets.
//   v5 no retention time any more; v6 leader epochs; v7 static members; v9 KIP-848 members; v10 topic ids instead of
//   names.
// Topics are resolved here, by one snapshot, and what does not exist is answered here: UNKNOWN_TOPIC_ID for an id,
// UNKNOWN_TOPIC_OR_PARTITION for a name or a partition. The coordinator gets name and id of the rest. The empty group
// id is legal (a "simple" consumer). Errors of the shard are per partition (OffsetCommitRequest.getErrorResponse).
#include <optional>

#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "server/api/answered_topics.h"
#include "server/api/group_call.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::OffsetCommitRequest;
using Response = protocol::OffsetCommitResponse;
using ResponseTopic = Response::OffsetCommitResponseTopic;

constexpr std::int16_t kFirstWithTopicIds = 10;

void add_partition(ResponseTopic& topic, std::int32_t index, ErrorCode error) {
  Response::OffsetCommitResponsePartition partition;
  partition.partition_index = index;
  partition.error_code = to_wire(error);
  topic.partitions.push_back(partition);
}

// The topic as the client named it: versions with ids may not carry names, and the other way round.
ResponseTopic head_of(const Request::OffsetCommitRequestTopic& topic, std::int16_t version) {
  ResponseTopic out;
  if (version >= kFirstWithTopicIds) {
    out.topic_id = topic.topic_id;
  } else {
    out.name = Text(topic.name);
  }
  return out;
}

// Takes out of the request what does not exist and answers it; fills in name and id of the rest.
AnsweredPlaces resolve(Request& request, const topics::CatalogueSnapshot& snapshot, std::int16_t version,
                       Response& response) {
  const bool by_id = version >= kFirstWithTopicIds;
  AnsweredPlaces places;
  std::erase_if(request.topics, [&](Request::OffsetCommitRequestTopic& topic) {
    const topics::TopicInfo* info =
        by_id ? snapshot.find(protocol::TopicId(topic.topic_id)) : snapshot.find(topic.name.view());
    ResponseTopic answered = head_of(topic, version);
    std::erase_if(topic.partitions, [&](const auto& partition) {
      if (has_partition(info, partition.partition_index)) return false;
      add_partition(answered, partition.partition_index,
                    by_id && !info ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
      return true;
    });
    const bool is_answered = !answered.partitions.empty() || info == nullptr;
    if (is_answered) response.topics.push_back(std::move(answered));
    if (info == nullptr || topic.partitions.empty()) return true;
    places.push_back(is_answered ? std::optional(response.topics.size() - 1) : std::nullopt);
    topic.name = Text(info->name.value());
    topic.topic_id = info->id.value();
    return false;
  });
  return places;
}

// What the coordinator was asked for, in case it refuses.
Response refused_answer(const Request& request, ErrorCode error) {
  Response out;
  for (const auto& topic : request.topics) {
    ResponseTopic failed;
    failed.name = Text(topic.name);
    failed.topic_id = topic.topic_id;
    for (const auto& partition : topic.partitions) add_partition(failed, partition.partition_index, error);
    out.topics.push_back(std::move(failed));
  }
  return out;
}

}  // namespace

void handle_offset_commit(Call call, Request request) {
  Response response;
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  AnsweredPlaces places = resolve(request, *snapshot, call.version(), response);
  if (request.topics.empty()) return call.reply(response);

  const runtime::GroupRouter& groups = call.services().groups;
  const std::int32_t partition = groups.partition_of(request.group_id);
  std::shared_ptr<const void> frame = call.frame();
  // Not among the arguments below: there the closure may have taken the call already.
  coordinator::CommitOffsets commit{std::move(request), call.version(), snapshot->version()};
  ask_partition(groups, partition, std::move(commit), std::move(frame),
                [call = std::move(call), response = std::move(response),
                 places = std::move(places)](runtime::GroupCall& done) mutable {
                  Response committed;
                  if (const auto* refused = std::get_if<coordinator::Refused>(&done.response())) {
                    const auto& asked = std::get<coordinator::CommitOffsets>(done.request()).request;
                    committed = refused_answer(asked, refused_error(refused->error));
                  } else {
                    committed = std::get<Response>(std::move(done.response()));
                  }
                  for (ResponseTopic& topic : committed.topics) {
                    // Versions with ids may not carry names, and the other way round.
                    if (call.version() >= kFirstWithTopicIds) {
                      topic.name = Text();
                    } else {
                      topic.topic_id = {};
                    }
                  }
                  // OffsetCommitResponse.Builder.merge
                  join_answers(response.topics, std::move(committed.topics), places);
                  call.reply(response);
                });
}

}  // namespace cohort::api
