// Fetch v4-18 (key 1): record batches from partitions, waiting for them if asked to.
//   v5 log start offset; v7 sessions; v9 leader epochs; v11 rack; v12 tagged fields; v13 topic ids; v15 replica state;
//   v16 node endpoints (unused, the leader never moves); v17 and v18 fields of replicas only.
// There are no sessions: every answer carries session id 0, which tells the client to send full requests. A request
// that goes on with a session gets FETCH_SESSION_ID_NOT_FOUND, upon which clients start anew. One that opens or closes
// a session (epoch 0 or -1) is a full request whatever its session id (FetchManager.newContext).
#include <algorithm>

#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::FetchRequest;
using Response = protocol::FetchResponse;

constexpr std::int16_t kFirstWithTopicIds = 13;
constexpr std::int16_t kFirstWithStorageError = 6;

struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
};
struct Pending {
  Response response;
  std::vector<Place> places;  // of the store's answers
  bool committed_only = false;
};

void fill(Response::PartitionData& out, topics::FetchedPartition& fetched, std::int16_t version) {
  const bool too_old = version < kFirstWithStorageError && fetched.error == ErrorCode::kKafkaStorageError;
  out.error_code = to_wire(too_old ? ErrorCode::kNotLeaderOrFollower : fetched.error);
  out.high_watermark = fetched.high_watermark;
  out.last_stable_offset = fetched.last_stable_offset;
  if (version >= 5) out.log_start_offset = fetched.log_start_offset;
  out.records = std::move(fetched.records);
}

Response::PartitionData empty_answer(std::int32_t index, ErrorCode error, bool committed_only) {
  Response::PartitionData out;
  out.partition_index = index;
  out.error_code = to_wire(error);
  out.high_watermark = -1;
  out.records = protocol::Records();
  if (committed_only) {
    out.aborted_transactions.emplace();
  } else {
    out.aborted_transactions = std::nullopt;
  }
  return out;
}

// Sorts the partitions into those that the store is asked for and those that are answered here.
topics::FetchCall resolve(const Call& call, const Request& request, Pending& pending) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const bool by_id = call.version() >= kFirstWithTopicIds;
  topics::FetchCall fetch{.min_bytes = request.min_bytes,
                          .max_bytes = request.max_bytes,
                          .max_wait_ms = std::max(0, request.max_wait_ms),
                          .isolation = pending.committed_only ? topics::IsolationLevel::kReadCommitted
                                                              : topics::IsolationLevel::kReadUncommitted,
                          .partitions = {}};
  for (const auto& topic : request.topics) {
    const topics::TopicInfo* info =
        by_id ? snapshot->find(protocol::TopicId(topic.topic_id)) : snapshot->find(topic.topic.view());
    Response::FetchableTopicResponse out;
    if (by_id) {
      out.topic_id = topic.topic_id;
    } else {
      out.topic = Text(topic.topic);
    }
    for (const auto& partition : topic.partitions) {
      ErrorCode error = ErrorCode::kNone;
      if (info == nullptr || partition.partition < 0 || partition.partition >= info->partitions) {
        error = by_id && info == nullptr ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
      } else {
        fetch.partitions.push_back({.id = {info->id, partition.partition},
                                    .fetch_offset = partition.fetch_offset,
                                    .max_bytes = partition.partition_max_bytes,
                                    .current_leader_epoch = partition.current_leader_epoch});
        pending.places.push_back({pending.response.responses.size(), out.partitions.size()});
      }
      out.partitions.push_back(empty_answer(partition.partition, error, pending.committed_only));
    }
    pending.response.responses.push_back(std::move(out));
  }
  return fetch;
}

}  // namespace

void handle_fetch(Call call, Request request) {
  const bool is_full = request.session_epoch <= 0;
  if (!is_full) {
    Response response;
    response.error_code = to_wire(ErrorCode::kFetchSessionIdNotFound);
    return call.reply(response);
  }
  Pending pending;
  pending.committed_only = request.isolation_level == static_cast<std::int8_t>(topics::IsolationLevel::kReadCommitted);
  topics::FetchCall fetch = resolve(call, request, pending);
  if (fetch.partitions.empty()) return call.reply(pending.response);

  topics::TopicStore& store = call.services().topics;
  const std::shared_ptr<ReplyPort> port = call.port();
  const auto id = store.fetch(std::move(fetch), [call = std::move(call), pending = std::move(pending)](
                                                    std::vector<topics::FetchedPartition> fetched) mutable {
    for (std::size_t i = 0; i < fetched.size(); ++i) {
      const Place place = pending.places[i];
      fill(pending.response.responses[place.topic].partitions[place.partition], fetched[i], call.version());
    }
    call.reply(pending.response);
  });
  port->on_gone([&store, id] { store.cancel_fetch(id); });
}

}  // namespace cohort::api
