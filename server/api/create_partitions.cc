// CreatePartitions v0-3 (key 37): more partitions for topics, or with validate_only what would become of it. Versions
// differ in encoding and in throttling only. A topic that is named twice is INVALID_REQUEST, once in the answer.
#include "protocol/messages/create_partitions_request.h"
#include "protocol/messages/create_partitions_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/api/repeated_topics.h"

namespace cohort::api {
namespace {

using Request = protocol::CreatePartitionsRequest;
using Response = protocol::CreatePartitionsResponse;

Response::CreatePartitionsTopicResult result_of(const topics::TopicOutcome& outcome) {
  Response::CreatePartitionsTopicResult out;
  out.name = Text(outcome.topic);
  out.error_code = to_wire(outcome.error);
  out.error_message = optional_text(outcome.message);
  return out;
}

topics::CreatePartitions to_create(const Request::CreatePartitionsTopic& topic) {
  topics::CreatePartitions out{.topic = topic.name.str(), .count = topic.count, .assignments = std::nullopt};
  if (topic.assignments) {
    out.assignments.emplace();
    for (const auto& assignment : *topic.assignments) out.assignments->push_back(assignment.broker_ids);
  }
  return out;
}

}  // namespace

void handle_create_partitions(Call call, Request request) {
  Response response;
  for (std::string& name : take_out_repeated(request.topics)) {
    response.results.push_back(result_of({std::move(name), ErrorCode::kInvalidRequest, kRepeatedTopic}));
  }
  if (request.topics.empty()) return call.reply(response);
  std::vector<topics::CreatePartitions> create;
  create.reserve(request.topics.size());
  for (const auto& topic : request.topics) create.push_back(to_create(topic));
  topics::TopicStore& store = call.services().topics;
  store.create_partitions(
      std::move(create), request.validate_only,
      [call = std::move(call), response = std::move(response)](std::vector<topics::TopicOutcome> outcomes) mutable {
        for (const auto& outcome : outcomes) response.results.push_back(result_of(outcome));
        call.reply(response);
      });
}

}  // namespace cohort::api
