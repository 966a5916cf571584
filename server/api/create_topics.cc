// CreateTopics v2-7 (key 19): new topics, or with validate_only what would become of them.
//   v5 the answer has partitions, replication factor and configs; v7 the topic's id.
// Partitions -1 and replication factor -1 ask for the defaults (v4 on in Kafka; let pass here). A topic that is named
// twice is INVALID_REQUEST, once in the answer (ControllerApis.createTopics). The rest is the catalogue's to decide.
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/api/repeated_topics.h"

namespace cohort::api {
namespace {

using Request = protocol::CreateTopicsRequest;
using Response = protocol::CreateTopicsResponse;

topics::CreateTopic to_create(const Request::CreatableTopic& topic) {
  topics::CreateTopic out;
  out.name = topic.name.str();
  out.partitions = topic.num_partitions;
  out.replication_factor = topic.replication_factor;
  for (const auto& assignment : topic.assignments) {
    out.assignments.push_back({assignment.partition_index, assignment.broker_ids});
  }
  for (const auto& config : topic.configs) {
    std::optional<std::string> value;
    if (config.value) value = config.value->str();
    out.configs.emplace_back(config.name.str(), std::move(value));
  }
  return out;
}

void add_configs(Response::CreatableTopicResult& out, const topics::CreatedTopic& created,
                 const config::TopicDefaults& defaults) {
  const topics::ConfigOverrides overrides(created.configs.begin(), created.configs.end());
  out.configs.emplace();
  for (const auto& described : topics::describe_config(overrides, defaults)) {
    Response::CreatableTopicConfigs config;
    config.name = Text(described.name);
    config.value = Text(described.value);
    config.config_source = static_cast<std::int8_t>(described.source);
    out.configs->push_back(std::move(config));
  }
}

Response::CreatableTopicResult result_of(const topics::CreatedTopic& created, const Call& call) {
  Response::CreatableTopicResult out;
  out.name = Text(created.name);
  out.error_code = to_wire(created.error);
  out.error_message = optional_text(created.message);
  if (created.error != ErrorCode::kNone) return out;
  if (call.version() >= 7) out.topic_id = created.id.value();
  if (call.version() >= 5) {
    out.num_partitions = created.partitions;
    out.replication_factor = created.replication_factor;
    add_configs(out, created, call.services().values().topics);
  }
  return out;
}

}  // namespace

void handle_create_topics(Call call, Request request) {
  Response response;
  for (std::string& name : take_out_repeated(request.topics)) {
    topics::CreatedTopic repeated;
    repeated.name = std::move(name);
    repeated.error = ErrorCode::kInvalidRequest;
    repeated.message = kRepeatedTopic;
    response.topics.push_back(result_of(repeated, call));
  }
  if (request.topics.empty()) return call.reply(response);
  std::vector<topics::CreateTopic> create;
  create.reserve(request.topics.size());
  for (const auto& topic : request.topics) create.push_back(to_create(topic));
  topics::TopicStore& store = call.services().topics;
  store.create_topics(
      std::move(create), request.validate_only,
      [call = std::move(call), response = std::move(response)](std::vector<topics::CreatedTopic> created) mutable {
        for (const auto& topic : created) response.topics.push_back(result_of(topic, call));
        call.reply(response);
      });
}

}  // namespace cohort::api
