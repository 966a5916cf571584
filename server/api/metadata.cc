// Metadata v0-13 (key 3): brokers and topics. One node: leader of everything, controller, only replica.
//   v0 an empty list asks for all topics; v1 on, null does. v4 allow_auto_topic_creation (before it: true).
//   v8-10 authorized operations of the cluster, v8 on of topics. v10 topic ids in answers, v12 in requests (then the
//   name is null for an unknown id). v13 has an error code for the whole answer, used by REBOOTSTRAP_REQUIRED only.
// Topics that do not exist are created when client and auto.create.topics.enable allow it, by name only; the answer
// comes when they are there. Kafka answers LEADER_NOT_AVAILABLE or UNKNOWN_TOPIC_OR_PARTITION first and lets the client
// ask again: here there is nothing to wait for.
#include <algorithm>
#include <set>

#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/topics/topic_name.h"

namespace cohort::api {
namespace {

using Request = protocol::MetadataRequest;
using Response = protocol::MetadataResponse;
using topics::CatalogueSnapshot;
using topics::TopicInfo;

struct Wanted {
  bool all = false;
  std::set<std::string> names;  // sorted, as the answer is
  std::vector<protocol::Uuid> unknown_ids;
  bool operations = false;
  bool cluster_operations = false;
};

Response::MetadataResponseTopic described(const TopicInfo& topic, std::int32_t leader_epoch, const Call& call,
                                          bool operations) {
  Response::MetadataResponseTopic out;
  out.name = Text(topic.name.value());
  if (call.version() >= 10) out.topic_id = topic.id.value();
  out.is_internal = topic.internal;
  if (operations) out.topic_authorized_operations = kTopicOperations;
  out.partitions.reserve(static_cast<std::size_t>(topic.partitions));
  for (std::int32_t index = 0; index < topic.partitions; ++index) {
    Response::MetadataResponsePartition partition;
    partition.partition_index = index;
    partition.leader_id = node_id(call);
    partition.leader_epoch = leader_epoch;
    partition.replica_nodes = {node_id(call)};
    partition.isr_nodes = {node_id(call)};
    out.partitions.push_back(std::move(partition));
  }
  return out;
}

Response::MetadataResponseTopic missing(std::string_view name, const Wanted& wanted) {
  Response::MetadataResponseTopic out;
  out.name = Text(name);
  out.error_code = to_wire(missing_topic_error(name));
  if (wanted.operations) out.topic_authorized_operations = kTopicOperations;
  return out;
}

void answer(Call& call, const Wanted& wanted, const CatalogueSnapshot& snapshot) {
  Response response;
  Response::MetadataResponseBroker broker;
  broker.node_id = node_id(call);
  broker.host = Text(endpoint(call).host);
  broker.port = endpoint(call).port;
  broker.rack = rack(call);
  response.brokers.push_back(std::move(broker));
  if (call.version() >= 2) response.cluster_id = Text(snapshot.cluster_id());
  response.controller_id = node_id(call);
  if (wanted.cluster_operations) response.cluster_authorized_operations = kClusterOperations;
  for (const protocol::Uuid& id : wanted.unknown_ids) {
    Response::MetadataResponseTopic topic;
    topic.name = std::nullopt;
    topic.topic_id = id;
    topic.error_code = to_wire(ErrorCode::kUnknownTopicId);
    response.topics.push_back(std::move(topic));
  }
  const auto describe = [&](const TopicInfo& topic) {
    response.topics.push_back(described(topic, snapshot.leader_epoch(topic), call, wanted.operations));
  };
  if (wanted.all) {
    for (const auto& topic : snapshot.topics()) describe(*topic);
  }
  for (const std::string& name : wanted.names) {
    const TopicInfo* topic = snapshot.find(name);
    if (topic != nullptr) {
      describe(*topic);
    } else {
      response.topics.push_back(missing(name, wanted));
    }
  }
  call.reply(response);
}

// A request that its version does not allow: every topic gets the error (MetadataRequest.getErrorResponse).
void answer_invalid(Call& call, const Request& request) {
  Response response;
  for (const auto& topic : *request.topics) {
    Response::MetadataResponseTopic out;
    out.name = topic.name ? *topic.name : Text("");
    out.error_code = to_wire(ErrorCode::kInvalidRequest);
    response.topics.push_back(std::move(out));
  }
  call.reply(response);
}

}  // namespace

void handle_metadata(Call call, Request request) {
  // 1. What is asked for.
  Wanted wanted;
  wanted.operations = call.version() >= 8 && request.include_topic_authorized_operations;
  wanted.cluster_operations =
      call.version() >= 8 && call.version() <= 10 && request.include_cluster_authorized_operations;
  wanted.all = !request.topics || (call.version() == 0 && request.topics->empty());
  const std::shared_ptr<const CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  if (!wanted.all) {
    const auto not_allowed = [](const auto& topic) { return !topic.name || !topic.topic_id.is_zero(); };
    if (call.version() < 12 && std::ranges::any_of(*request.topics, not_allowed)) return answer_invalid(call, request);
    // Ids go before names: with any id in the request, names are not looked at.
    const bool by_id = std::ranges::any_of(*request.topics, [](const auto& t) { return !t.topic_id.is_zero(); });
    std::set<protocol::Uuid> unknown;
    for (const auto& topic : *request.topics) {
      if (!by_id && topic.name) wanted.names.insert(topic.name->str());
      if (!by_id || topic.topic_id.is_zero()) continue;
      const TopicInfo* found = snapshot->find(protocol::TopicId(topic.topic_id));
      if (found) {
        wanted.names.insert(found->name.value());
      } else if (unknown.insert(topic.topic_id).second) {
        wanted.unknown_ids.push_back(topic.topic_id);
      }
    }
  }

  // 2. What is to be created first.
  std::vector<std::string> to_create;
  if (request.allow_auto_topic_creation && call.services().values().topics.auto_create) {
    for (const std::string& name : wanted.names) {
      if (!snapshot->find(name) && !topics::why_invalid_name(name)) to_create.push_back(name);
    }
  }

  // 3. The answer.
  if (to_create.empty()) return answer(call, wanted, *snapshot);
  topics::TopicStore& topics = call.services().topics;
  topics.auto_create(std::move(to_create), [call = std::move(call), wanted = std::move(wanted)](auto) mutable {
    const std::shared_ptr<const CatalogueSnapshot> now = call.services().topics.snapshot();
    answer(call, wanted, *now);
  });
}

}  // namespace cohort::api
