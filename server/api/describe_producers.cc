// DescribeProducers v0 (key 61): the idempotent producers that a partition remembers (KIP-664). There are no
// transactions: coordinator epoch and start offset are always -1. A partition that a request names again is answered
// INVALID_REQUEST, so that no small request asks for much.
#include <set>

#include "protocol/messages/describe_producers_request.h"
#include "protocol/messages/describe_producers_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/topics/topic_name.h"

namespace cohort::api {
namespace {

using Request = protocol::DescribeProducersRequest;
using Response = protocol::DescribeProducersResponse;

void fill(Response::PartitionResponse& out, const topics::ActiveProducers& active) {
  out.error_code = to_wire(active.error);
  out.active_producers.reserve(active.producers.size());
  for (const topics::ActiveProducer& producer : active.producers) {
    Response::ProducerState& state = out.active_producers.emplace_back();
    state.producer_id = producer.id;
    state.producer_epoch = producer.epoch;
    state.last_sequence = producer.last_sequence;
    state.last_timestamp = producer.last_timestamp_ms;
    state.coordinator_epoch = -1;
    state.current_txn_start_offset = -1;
  }
}

}  // namespace

void handle_describe_producers(Call call, Request request) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  std::set<topics::PartitionId> seen;
  std::vector<topics::ProducersPartition> asked;
  std::vector<Place> places;
  Response response;
  for (const auto& topic : request.topics) {
    const topics::TopicInfo* info = snapshot->find(topic.name.view());
    const auto why_invalid = topics::why_invalid_name(topic.name.view());
    Response::TopicResponse out;
    out.name = Text(topic.name);
    for (const std::int32_t index : topic.partition_indexes) {
      Response::PartitionResponse one;
      one.partition_index = index;
      if (why_invalid) {
        one.error_code = to_wire(ErrorCode::kInvalidTopicException);
        one.error_message = Text(*why_invalid);
      } else if (info == nullptr) {
        one.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
        one.error_message = Text("This server does not host this topic-partition.");
      } else if (!has_partition(info, index)) {
        one.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
      } else if (!seen.insert({info->id, index}).second) {
        one.error_code = to_wire(ErrorCode::kInvalidRequest);
        one.error_message = Text("The partition stands in the request twice.");
      } else {
        asked.push_back({.id = {info->id, index}});
        places.push_back({response.topics.size(), out.partitions.size()});
      }
      out.partitions.push_back(std::move(one));
    }
    response.topics.push_back(std::move(out));
  }
  if (asked.empty()) return call.reply(response);

  topics::TopicStore& store = call.services().topics;
  store.active_producers(std::move(asked),
                         [call = std::move(call), response = std::move(response),
                          places = std::move(places)](const std::vector<topics::ActiveProducers>& active) mutable {
                           for (std::size_t i = 0; i < active.size(); ++i) {
                             fill(response.topics[places[i].topic].partitions[places[i].partition], active[i]);
                           }
                           call.reply(response);
                         });
}

}  // namespace cohort::api
