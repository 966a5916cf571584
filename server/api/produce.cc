// Produce v3-13 (key 0): record batches to partitions.
//   v3 record batch format 2 only; v7 zstd; v8 messages of errors; v10 (unused here) the new leader; v13 topic ids.
// The batches stay where they were received until they are in the log. acks=0 has no answer; when something failed the
// connection is closed instead, which makes the client look at its metadata (KafkaApis.handleProduceRequest).
// Nobody may write to internal topics: INVALID_TOPIC_EXCEPTION (see topics/topic_requests.h).
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::ProduceRequest;
using Response = protocol::ProduceResponse;
using PartitionResponse = Response::PartitionProduceResponse;

constexpr std::int16_t kFirstWithTopicIds = 13;

struct Pending {
  Response response;
  std::vector<Place> places;
  std::int16_t acks = -1;
};

PartitionResponse& at(Pending& pending, Place place) {
  return pending.response.responses[place.topic].partition_responses[place.partition];
}

void fill(PartitionResponse& out, topics::ProducedPartition& produced, std::int16_t version) {
  out.error_code = to_wire(produced.error);
  out.base_offset = produced.base_offset;
  out.log_append_time_ms = produced.log_append_time_ms;
  if (version >= 5) out.log_start_offset = produced.log_start_offset;
  if (version < 8) return;
  out.error_message = optional_text(produced.message);
  for (const topics::RecordRefusal& refusal : produced.record_errors) {
    Response::BatchIndexAndErrorMessage error;
    error.batch_index = refusal.batch_index;
    error.batch_index_error_message = optional_text(refusal.message);
    out.record_errors.push_back(std::move(error));
  }
}

void answer(Call& call, const Pending& pending) {
  if (pending.acks != 0) return call.reply(pending.response);
  for (const auto& topic : pending.response.responses) {
    for (const PartitionResponse& partition : topic.partition_responses) {
      if (partition.error_code == to_wire(ErrorCode::kNone)) continue;
      return call.refuse(fmt::format("a produce request with acks=0 failed: {} for partition {}",
                                     static_cast<ErrorCode>(partition.error_code), partition.index));
    }
  }
  call.reply_nothing();
}

}  // namespace

void handle_produce(Call call, Request request) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const bool by_id = call.version() >= kFirstWithTopicIds;
  topics::ProduceCall produce{.acks = request.acks, .version = call.version(), .partitions = {}};
  Pending pending;
  pending.acks = request.acks;
  for (auto& topic : request.topic_data) {
    const topics::TopicInfo* info =
        by_id ? snapshot->find(protocol::TopicId(topic.topic_id)) : snapshot->find(topic.name.view());
    Response::TopicProduceResponse out;
    if (by_id) {
      out.topic_id = topic.topic_id;
    } else {
      out.name = Text(topic.name);
    }
    for (auto& partition : topic.partition_data) {
      PartitionResponse response;
      response.index = partition.index;
      response.base_offset = -1;
      if (!has_partition(info, partition.index)) {
        const bool unknown_id = by_id && info == nullptr;
        response.error_code = to_wire(unknown_id ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition);
      } else {
        protocol::Bytes records;
        if (partition.records) records = protocol::Bytes::slice(call.frame(), partition.records->view());
        produce.partitions.push_back({{info->id, partition.index}, std::move(records)});
        pending.places.push_back({pending.response.responses.size(), out.partition_responses.size()});
      }
      out.partition_responses.push_back(std::move(response));
    }
    pending.response.responses.push_back(std::move(out));
  }
  if (produce.partitions.empty()) return answer(call, pending);
  topics::TopicStore& store = call.services().topics;
  store.produce(std::move(produce), [call = std::move(call), pending = std::move(pending)](
                                        std::vector<topics::ProducedPartition> produced) mutable {
    for (std::size_t i = 0; i < produced.size(); ++i) fill(at(pending, pending.places[i]), produced[i], call.version());
    answer(call, pending);
  });
}

}  // namespace cohort::api
