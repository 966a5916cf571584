// IncrementalAlterConfigs v0-1 (key 44): changes to the configuration of topics and groups (KIP-339); v1 only encodes
// differently.
// Checks before the catalogue are those of Kafka's ConfigAdminManager.preprocess: a resource twice, a key twice, a null
// value that is not a deletion are INVALID_REQUEST. The server's own keys cannot change at run time, and loggers and
// client metrics have no settings here: also INVALID_REQUEST, each with its reason.
// Groups have the keys of consumer groups (consumer.session.timeout.ms, consumer.heartbeat.interval.ms,
// consumer.assignment.interval.ms); any other, those of share and streams groups too, is INVALID_CONFIG.
#include <fmt/format.h>

#include <map>
#include <set>

#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "server/api/common.h"
#include "server/api/config_resource.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::IncrementalAlterConfigsRequest;
using Response = protocol::IncrementalAlterConfigsResponse;

// Why this resource cannot be altered, empty when the catalogue may try.
std::string refusal(const Request::AlterConfigsResource& resource, bool repeated) {
  if (repeated) return "Each resource must appear at most once.";
  std::set<std::string_view> names;
  for (const auto& config : resource.configs) {
    if (!names.insert(config.name.view()).second) return "Error due to duplicate config keys";
    const bool is_delete = config.config_operation == static_cast<std::int8_t>(topics::ConfigOp::kDelete);
    if (!is_delete && !config.value) return fmt::format("Null value not supported for : {}", config.name);
    if (config.config_operation < 0 ||
        config.config_operation > static_cast<std::int8_t>(topics::ConfigOp::kSubtract)) {
      return fmt::format("Unknown operation {} for {}", config.config_operation, config.name);
    }
  }
  switch (static_cast<ConfigResourceType>(resource.resource_type)) {
    case ConfigResourceType::kTopic:
    case ConfigResourceType::kGroup:
      return {};
    case ConfigResourceType::kBroker:
      return "The keys of the server cannot be changed at run time; change its configuration file and start it again.";
    case ConfigResourceType::kBrokerLogger:
    case ConfigResourceType::kClientMetrics:
      break;
  }
  return fmt::format("Unknown resource type {}", resource.resource_type);
}

topics::AlterConfigs to_alter(const Request::AlterConfigsResource& resource) {
  topics::AlterConfigs out;
  out.name = resource.resource_name.str();
  if (resource.resource_type == static_cast<std::int8_t>(ConfigResourceType::kGroup)) {
    out.of = topics::ConfiguredThing::kGroup;
  }
  for (const auto& config : resource.configs) {
    topics::ConfigChange change;
    change.name = config.name.str();
    change.op = static_cast<topics::ConfigOp>(config.config_operation);
    if (config.value) change.value = config.value->str();
    out.changes.push_back(std::move(change));
  }
  return out;
}

void set_outcome(Response::AlterConfigsResourceResponse& out, ErrorCode error, const std::string& message) {
  out.error_code = to_wire(error);
  out.error_message = optional_text(message);
}

}  // namespace

void handle_incremental_alter_configs(Call call, Request request) {
  std::map<std::pair<std::int8_t, std::string_view>, int> count;
  for (const auto& resource : request.resources) ++count[{resource.resource_type, resource.resource_name.view()}];

  Response response;
  std::vector<topics::AlterConfigs> alter;
  std::vector<std::size_t> places;  // of those answered by the catalogue, in the answer
  for (const auto& resource : request.resources) {
    Response::AlterConfigsResourceResponse out;
    out.resource_type = resource.resource_type;
    out.resource_name = Text(resource.resource_name);
    const std::string reason = refusal(resource, count[{resource.resource_type, resource.resource_name.view()}] > 1);
    if (reason.empty()) {
      places.push_back(response.responses.size());
      alter.push_back(to_alter(resource));
    } else {
      set_outcome(out, ErrorCode::kInvalidRequest, reason);
    }
    response.responses.push_back(std::move(out));
  }
  if (alter.empty()) return call.reply(response);
  topics::TopicStore& store = call.services().topics;
  store.alter_configs(std::move(alter), request.validate_only,
                      [call = std::move(call), response = std::move(response),
                       places = std::move(places)](std::vector<topics::TopicOutcome> outcomes) mutable {
                        for (std::size_t i = 0; i < outcomes.size(); ++i) {
                          set_outcome(response.responses[places[i]], outcomes[i].error, outcomes[i].message);
                        }
                        call.reply(response);
                      });
}

}  // namespace cohort::api
