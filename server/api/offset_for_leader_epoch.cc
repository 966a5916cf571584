// OffsetForLeaderEpoch v2-4 (key 23): where a leader epoch ends, for clients that ask whether the log still holds what
// they have read (KIP-320). v3 replica id; v4 tagged fields.
#include "protocol/messages/offset_for_leader_epoch_request.h"
#include "protocol/messages/offset_for_leader_epoch_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::OffsetForLeaderEpochRequest;
using Response = protocol::OffsetForLeaderEpochResponse;

}  // namespace

void handle_offset_for_leader_epoch(Call call, Request request) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  std::vector<topics::EpochEndPartition> asked;
  std::vector<Place> places;
  Response response;
  for (const auto& topic : request.topics) {
    const topics::TopicInfo* info = snapshot->find(topic.topic.view());
    Response::OffsetForLeaderTopicResult out;
    out.topic = Text(topic.topic);
    for (const auto& partition : topic.partitions) {
      Response::EpochEndOffset one;
      one.partition = partition.partition;
      if (!has_partition(info, partition.partition)) {
        one.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
      } else {
        asked.push_back({.id = {info->id, partition.partition},
                         .leader_epoch = partition.leader_epoch,
                         .current_leader_epoch = partition.current_leader_epoch});
        places.push_back({response.topics.size(), out.partitions.size()});
      }
      out.partitions.push_back(std::move(one));
    }
    response.topics.push_back(std::move(out));
  }
  if (asked.empty()) return call.reply(response);

  topics::TopicStore& store = call.services().topics;
  store.ends_of_epochs(std::move(asked),
                       [call = std::move(call), response = std::move(response),
                        places = std::move(places)](std::vector<topics::EpochEndAnswer> ends) mutable {
                         for (std::size_t i = 0; i < ends.size(); ++i) {
                           auto& out = response.topics[places[i].topic].partitions[places[i].partition];
                           out.error_code = to_wire(ends[i].error);
                           out.leader_epoch = ends[i].end.epoch;
                           out.end_offset = ends[i].end.end_offset;
                         }
                         call.reply(response);
                       });
}

}  // namespace cohort::api
