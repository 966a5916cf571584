// DeleteRecords v0-2 (key 21): the partitions' logs begin at a later offset. v2 tagged fields.
// Answered when the new start is durable; the timeout is not looked at, as there are no followers to wait for. Internal
// topics are INVALID_TOPIC_EXCEPTION, topics that are only compacted POLICY_VIOLATION
// (ReplicaManager.deleteRecordsOnLocalLog, Partition.deleteRecordsOnLeader).
#include "protocol/messages/delete_records_request.h"
#include "protocol/messages/delete_records_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::DeleteRecordsRequest;
using Response = protocol::DeleteRecordsResponse;

}  // namespace

void handle_delete_records(Call call, Request request) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  std::vector<topics::DeleteRecordsPartition> asked;
  std::vector<Place> places;
  Response response;
  for (const auto& topic : request.topics) {
    const topics::TopicInfo* info = snapshot->find(topic.name.view());
    Response::DeleteRecordsTopicResult out;
    out.name = Text(topic.name);
    for (const auto& partition : topic.partitions) {
      Response::DeleteRecordsPartitionResult one;
      one.partition_index = partition.partition_index;
      one.low_watermark = -1;
      if (!has_partition(info, partition.partition_index)) {
        one.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
      } else {
        asked.push_back({.id = {info->id, partition.partition_index}, .offset = partition.offset});
        places.push_back({response.topics.size(), out.partitions.size()});
      }
      out.partitions.push_back(std::move(one));
    }
    response.topics.push_back(std::move(out));
  }
  if (asked.empty()) return call.reply(response);

  topics::TopicStore& store = call.services().topics;
  store.delete_records(std::move(asked),
                       [call = std::move(call), response = std::move(response),
                        places = std::move(places)](std::vector<topics::DeletedRecords> deleted) mutable {
                         for (std::size_t i = 0; i < deleted.size(); ++i) {
                           auto& out = response.topics[places[i].topic].partitions[places[i].partition];
                           out.error_code = to_wire(deleted[i].error);
                           out.low_watermark = deleted[i].low_watermark;
                         }
                         call.reply(response);
                       });
}

}  // namespace cohort::api
