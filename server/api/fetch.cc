// Fetch v4-18 (key 1): record batches from partitions, waiting for them if asked to.
//   v5 log start offset; v7 sessions; v9 leader epochs; v11 rack; v12 tagged fields, the epoch read last; v13 topic
//   ids; v15 replica state; v16 leader and node endpoints for those that are fenced; v17 and v18 fields of replicas
//   only.
// A request with epoch 0 opens a session, one with epoch -1 wants none; both name all partitions, and a session that
// they name is closed. Any other goes on with its session: it names what changes, and its answer has what is new
// (KIP-227, FetchManager.newContext). A session is opened with the answer, for it begins with what that says.
// Partitions that do not exist are answered in their place; Kafka puts them behind the others, and keeps them there.
#include <algorithm>
#include <utility>

#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/reactor/reactor.h"

namespace cohort::api {
namespace {

using Request = protocol::FetchRequest;
using Response = protocol::FetchResponse;
using topics::FetchedPartition;
using topics::FetchSession;

constexpr std::int16_t kFirstWithTopicIds = 13;
constexpr std::int16_t kFirstWithStorageError = 6;
constexpr std::int16_t kFirstWithLeader = 16;

MonoTime mono_now() {
  return reactor::Reactor::current()->now().mono;
}

bool wants_committed(const Request& request) {
  return request.isolation_level == static_cast<std::int8_t>(topics::IsolationLevel::kReadCommitted);
}

// Topics and forgotten topics of a request. Borrows the name.
template <typename Topic>
topics::FetchTopic named(const Topic& topic) {
  return {.id = topic.topic_id, .name = Text::borrow(topic.topic.view())};
}

topics::FetchWish wish_of(const Request::FetchPartition& partition) {
  return {.partition = partition.partition,
          .max_bytes = partition.partition_max_bytes,
          .fetch_offset = partition.fetch_offset,
          // FetchRequest.optionalEpoch: any negative one is none.
          .current_leader_epoch = std::max(-1, partition.current_leader_epoch),
          .last_fetched_epoch = partition.last_fetched_epoch};
}

void add(topics::FetchCall& fetch, const topics::TopicInfo& topic, const topics::FetchWish& wish) {
  fetch.partitions.push_back({.id = {topic.id, wish.partition},
                              .fetch_offset = wish.fetch_offset,
                              .max_bytes = wish.max_bytes,
                              .current_leader_epoch = wish.current_leader_epoch,
                              .last_fetched_epoch = wish.last_fetched_epoch});
}

topics::FetchCall call_of(const Request& request) {
  return {.min_bytes = request.min_bytes,
          .max_bytes = request.max_bytes,
          .max_wait_ms = std::max(0, request.max_wait_ms),
          .isolation = wants_committed(request) ? topics::IsolationLevel::kReadCommitted
                                                : topics::IsolationLevel::kReadUncommitted,
          .partitions = {}};
}

// Who is fenced learns who leads now (KIP-951).
void tell_leader(const Call& call, std::int32_t leader_epoch, Response& response, Response::PartitionData& out) {
  out.current_leader.leader_id = node_id(call);
  out.current_leader.leader_epoch = leader_epoch;
  if (!response.node_endpoints.empty()) return;
  auto& node = response.node_endpoints.emplace_back();
  node.node_id = node_id(call);
  node.host = Text(endpoint(call).host);
  node.port = endpoint(call).port;
  node.rack = rack(call);
}

// What the store found, into its place in the response.
void fill(const Call& call, Response& response, Response::PartitionData& out, FetchedPartition& fetched) {
  const std::int16_t version = call.version();
  const bool too_old = version < kFirstWithStorageError && fetched.error == ErrorCode::kKafkaStorageError;
  out.error_code = to_wire(too_old ? ErrorCode::kNotLeaderOrFollower : fetched.error);
  out.high_watermark = fetched.high_watermark;
  out.last_stable_offset = fetched.last_stable_offset;
  if (version >= 5) out.log_start_offset = fetched.log_start_offset;
  out.records = std::move(fetched.records);
  if (fetched.diverging) {
    out.diverging_epoch.epoch = fetched.diverging->epoch;
    out.diverging_epoch.end_offset = fetched.diverging->end_offset;
  }
  if (fetched.error == ErrorCode::kFencedLeaderEpoch && version >= kFirstWithLeader) {
    tell_leader(call, fetched.leader_epoch, response, out);
  }
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

// Asks the store, if for anything at all; answer(Call&, std::vector<FetchedPartition>&) gets what it found.
template <typename Answer>
void ask_store(Call call, topics::FetchCall fetch, Answer answer) {
  if (fetch.partitions.empty()) {
    std::vector<FetchedPartition> nothing;
    return answer(call, nothing);
  }
  topics::TopicStore& store = call.services().topics;
  const std::shared_ptr<ReplyPort> port = call.port();
  const auto id =
      store.fetch(std::move(fetch), [call = std::move(call), answer = std::move(answer)](
                                        std::vector<FetchedPartition> fetched) mutable { answer(call, fetched); });
  port->on_gone([&store, id] { store.cancel_fetch(id); });
}

// ---- requests that name all partitions ----

struct Full {
  Response response;
  std::vector<Place> places;  // of the store's answers
  std::optional<Request> opening;
};

// Sorts the partitions into those that the store is asked for and those that are answered here.
topics::FetchCall resolve(const Call& call, const Request& request, Full& pending) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const bool by_id = call.version() >= kFirstWithTopicIds;
  const bool committed_only = wants_committed(request);
  topics::FetchCall fetch = call_of(request);
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
      if (!has_partition(info, partition.partition)) {
        error = by_id && info == nullptr ? ErrorCode::kUnknownTopicId : ErrorCode::kUnknownTopicOrPartition;
      } else {
        add(fetch, *info, wish_of(partition));
        pending.places.push_back({pending.response.responses.size(), out.partitions.size()});
      }
      out.partitions.push_back(empty_answer(partition.partition, error, committed_only));
    }
    pending.response.responses.push_back(std::move(out));
  }
  return fetch;
}

// Its id; kNone when there is no room for it.
std::int32_t open_session(const Call& call, const Request& request, const Response& response) {
  topics::FetchSessionCache& sessions = call.services().topics.fetch_sessions();
  const MonoTime now = mono_now();
  std::size_t size = 0;
  for (const auto& topic : request.topics) size += topic.partitions.size();
  if (!sessions.make_room(size, now)) return FetchSession::kNone;
  auto session = std::make_shared<FetchSession>(call.version() >= kFirstWithTopicIds);
  for (std::size_t t = 0; t < request.topics.size(); ++t) {
    const topics::FetchTopic topic = named(request.topics[t]);
    for (std::size_t p = 0; p < request.topics[t].partitions.size(); ++p) {
      const Response::PartitionData& told = response.responses[t].partitions[p];
      FetchSession::Partition& partition = session->put(topic, wish_of(request.topics[t].partitions[p]));
      partition.high_watermark = told.high_watermark;
      partition.log_start_offset = told.log_start_offset;
    }
  }
  return sessions.add(std::move(session), now);
}

void fetch_all(Call call, Request request) {
  Full pending;
  topics::FetchCall fetch = resolve(call, request, pending);
  if (request.session_epoch == FetchSession::kInitialEpoch) pending.opening = std::move(request);
  ask_store(std::move(call), std::move(fetch),
            [pending = std::move(pending)](Call& asked, std::vector<FetchedPartition>& fetched) mutable {
              for (std::size_t i = 0; i < fetched.size(); ++i) {
                const Place place = pending.places[i];
                fill(asked, pending.response, pending.response.responses[place.topic].partitions[place.partition],
                     fetched[i]);
              }
              if (pending.opening)
                pending.response.session_id = open_session(asked, *pending.opening, pending.response);
              asked.reply(pending.response);
            });
}

// ---- requests that go on with a session ----

struct InSession {
  struct Missing {
    std::size_t place = 0;  // in the session
    ErrorCode error = ErrorCode::kNone;
  };

  std::shared_ptr<FetchSession> session;
  std::int32_t told_id = FetchSession::kNone;  // the client goes on with it, or not
  std::int32_t epoch = 0;                      // of the session, unless somebody else went on with it meanwhile
  bool committed_only = false;
  std::vector<Missing> missing;  // what is not the store's to answer
};

void change(FetchSession& session, const Request& request) {
  for (const auto& topic : request.topics) {
    const topics::FetchTopic name = named(topic);
    for (const auto& partition : topic.partitions) session.put(name, wish_of(partition));
  }
  for (const auto& topic : request.forgotten_topics_data) {
    const topics::FetchTopic name = named(topic);
    for (const std::int32_t partition : topic.partitions) session.forget(name, partition);
  }
}

// What a topic of a session is now.
struct Resolved {
  const topics::TopicInfo* topic = nullptr;  // that has this name or id
  ErrorCode error = ErrorCode::kNone;
};

// An id that was never known is UNKNOWN_TOPIC_ID. One that was is looked for by its name, as in Kafka, where a session
// remembers it: the topic is gone, or another one has its name (FetchSession.CachedPartition.maybeResolveUnknownName).
Resolved resolve(FetchSession::Topic& topic, bool by_id, const topics::CatalogueSnapshot& snapshot) {
  if (!by_id) return {.topic = snapshot.find(topic.named->name.view())};
  if (const topics::TopicInfo* known = snapshot.find(protocol::TopicId(topic.named->id))) {
    if (topic.known_name.empty()) topic.known_name = Text(known->name.value());
    return {.topic = known};
  }
  if (topic.known_name.empty()) return {.error = ErrorCode::kUnknownTopicId};
  return {.topic = snapshot.find(topic.known_name.view()), .error = ErrorCode::kInconsistentTopicId};
}

topics::FetchCall resolve(const Call& call, const Request& request, InSession& pending) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  FetchSession& session = *pending.session;
  topics::FetchCall fetch = call_of(request);
  fetch.partitions.reserve(session.size());
  const FetchSession::Topic* topic = nullptr;
  Resolved now;
  std::size_t place = 0;
  session.for_each([&](FetchSession::Partition& partition) {
    if (partition.topic != topic) {
      topic = partition.topic;
      now = resolve(*partition.topic, session.by_id(), *snapshot);
    }
    if (!has_partition(now.topic, partition.wish.partition) && now.error != ErrorCode::kUnknownTopicId) {
      pending.missing.push_back({place, ErrorCode::kUnknownTopicOrPartition});
    } else if (now.error != ErrorCode::kNone) {
      pending.missing.push_back({place, now.error});
      // In Kafka this is found where records are read, and what fails there is not waited with.
      if (now.error == ErrorCode::kInconsistentTopicId) fetch.max_wait_ms = 0;
    } else {
      add(fetch, *now.topic, partition.wish);
    }
    ++place;
  });
  return fetch;
}

void answer(Call& call, InSession& pending, std::vector<FetchedPartition>& fetched) {
  FetchSession& session = *pending.session;
  Response response;
  response.session_id = pending.told_id;
  if (session.epoch() != pending.epoch) {
    response.error_code = to_wire(ErrorCode::kInvalidFetchSessionEpoch);
    return call.reply(response);
  }
  std::size_t place = 0;
  auto read = fetched.begin();
  auto missing = pending.missing.begin();
  FetchedPartition failed;
  const auto found = [&](const FetchSession::Partition&) -> FetchedPartition& {
    if (missing == pending.missing.end() || missing->place != place++) return *read++;
    failed.error = (missing++)->error;
    return failed;
  };
  const FetchSession::Topic* topic = nullptr;
  session.answer(found, [&](const FetchSession::Partition& partition, FetchedPartition& news) {
    if (partition.topic != topic) {
      topic = partition.topic;
      auto& out = response.responses.emplace_back();
      out.topic_id = topic->named->id;
      out.topic = topic->named->name;
    }
    auto& out = response.responses.back().partitions;
    out.push_back(empty_answer(partition.wish.partition, ErrorCode::kNone, pending.committed_only));
    fill(call, response, out.back(), news);
  });
  call.reply(response);
}

void fetch_in_session(Call call, Request request) {
  topics::FetchSessionCache& sessions = call.services().topics.fetch_sessions();
  auto found = sessions.find(request.session_id, request.session_epoch, call.version() >= kFirstWithTopicIds);
  if (!found) {
    Response response;
    response.error_code = to_wire(found.error());
    return call.reply(response);
  }
  FetchSession& session = **found;
  change(session, request);
  if (session.empty()) {
    sessions.close(session.id());
    return fetch_all(std::move(call), std::move(request));
  }
  session.advance();
  InSession pending{.session = *found,
                    .told_id = sessions.touch(session, mono_now()) ? session.id() : FetchSession::kNone,
                    .epoch = session.epoch(),
                    .committed_only = wants_committed(request),
                    .missing = {}};
  topics::FetchCall fetch = resolve(call, request, pending);
  ask_store(std::move(call), std::move(fetch),
            [pending = std::move(pending)](Call& asked, std::vector<FetchedPartition>& fetched) mutable {
              answer(asked, pending, fetched);
            });
}

}  // namespace

void handle_fetch(Call call, Request request) {
  const bool names_all =
      request.session_epoch == FetchSession::kInitialEpoch || request.session_epoch == FetchSession::kFinalEpoch;
  if (!names_all) return fetch_in_session(std::move(call), std::move(request));
  if (request.session_id != FetchSession::kNone) call.services().topics.close_fetch_session(request.session_id);
  fetch_all(std::move(call), std::move(request));
}

}  // namespace cohort::api
