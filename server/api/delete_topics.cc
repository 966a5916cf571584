// DeleteTopics v1-6 (key 20): by name, v6 on by name or by id.
//   v5 error messages. delete.topic.enable=false answers TOPIC_DELETION_DISABLED, before v3 INVALID_REQUEST.
// Kafka's ControllerApis.deleteTopics: neither or both of name and id, and what is named twice, are INVALID_REQUEST.
#include <map>

#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::DeleteTopicsRequest;
using Response = protocol::DeleteTopicsResponse;

Response::DeletableTopicResult result_of(const topics::DeletedTopic& topic, std::int16_t version) {
  Response::DeletableTopicResult out;
  if (topic.name) {
    out.name = Text(*topic.name);
  } else if (version >= 6) {
    out.name.reset();  // an id that is not known; else it is the empty name
  }
  if (version >= 6) out.topic_id = topic.id.value();
  out.error_code = to_wire(topic.error);
  if (version >= 5) out.error_message = optional_text(topic.message);
  return out;
}

std::vector<topics::DeleteTopic> topics_of(const Request& request, std::int16_t version) {
  std::vector<topics::DeleteTopic> out;
  if (version < 6) {
    for (const Text& name : request.topic_names) out.push_back({.name = name.str(), .id = {}});
    return out;
  }
  for (const auto& topic : request.topics) {
    topics::DeleteTopic one{.name = std::nullopt, .id = protocol::TopicId(topic.topic_id)};
    if (topic.name) one.name = topic.name->str();
    out.push_back(std::move(one));
  }
  return out;
}

topics::DeletedTopic refused(const topics::DeleteTopic& topic, ErrorCode error, std::string message) {
  return {.name = topic.name, .id = topic.id, .error = error, .message = std::move(message)};
}

}  // namespace

void handle_delete_topics(Call call, Request request) {
  const std::vector<topics::DeleteTopic> asked = topics_of(request, call.version());
  std::map<std::pair<std::optional<std::string>, protocol::TopicId>, int> count;
  for (const auto& topic : asked) ++count[{topic.name, topic.id}];

  Response response;
  std::vector<topics::DeleteTopic> remove;
  const auto refuse = [&](const topics::DeleteTopic& topic, ErrorCode error, std::string message) {
    response.responses.push_back(result_of(refused(topic, error, std::move(message)), call.version()));
  };
  for (const auto& topic : asked) {
    if (!call.services().values().topics.delete_enable) {
      const ErrorCode error = call.version() < 3 ? ErrorCode::kInvalidRequest : ErrorCode::kTopicDeletionDisabled;
      refuse(topic, error, "Topic deletion is disabled.");
    } else if (topic.name && !topic.id.value().is_zero()) {
      refuse(topic, ErrorCode::kInvalidRequest, "You may not specify both topic name and topic id.");
    } else if (!topic.name && topic.id.value().is_zero()) {
      refuse(topic, ErrorCode::kInvalidRequest, "Neither topic name nor id were specified.");
    } else if (count[{topic.name, topic.id}] > 1) {
      refuse(topic, ErrorCode::kInvalidRequest, "Duplicate topic name or id.");
    } else {
      remove.push_back(topic);
    }
  }
  if (remove.empty()) return call.reply(response);
  topics::TopicStore& store = call.services().topics;
  store.delete_topics(std::move(remove), [call = std::move(call), response = std::move(response)](
                                             std::vector<topics::DeletedTopic> deleted) mutable {
    for (const auto& topic : deleted) response.responses.push_back(result_of(topic, call.version()));
    call.reply(response);
  });
}

}  // namespace cohort::api
