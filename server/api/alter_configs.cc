// AlterConfigs v0-2 (key 33): the older call, which replaces all that a topic or group sets for itself: what it does
// not name goes back to its default. v2 only encodes differently. What can be altered is what IncrementalAlterConfigs
// takes, but for the levels of the log, which this call does not know, as in Kafka.
#include "protocol/messages/alter_configs_request.h"
#include "protocol/messages/alter_configs_response.h"
#include "server/api/config_changes.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_alter_configs(Call call, protocol::AlterConfigsRequest request) {
  protocol::AlterConfigsResponse response;
  std::vector<ResourceChanges> resources;
  for (const auto& resource : request.resources) {
    auto& out = response.responses.emplace_back();
    out.resource_type = resource.resource_type;
    out.resource_name = Text(resource.resource_name);
    auto& changes = resources.emplace_back(ResourceChanges{
        .type = resource.resource_type, .name = resource.resource_name.str(), .changes = {}, .replace = true});
    for (const auto& config : resource.configs) {
      changes.changes.push_back({.name = config.name.str(),
                                 .op = topics::ConfigOp::kSet,
                                 .value = config.value ? std::optional(config.value->str()) : std::nullopt});
    }
  }
  const Services& services = call.services();
  change_configs(services, std::move(resources), request.validate_only,
                 [call = std::move(call), response = std::move(response)](std::vector<ConfigOutcome> outcomes) mutable {
                   for (std::size_t i = 0; i < outcomes.size(); ++i) {
                     response.responses[i].error_code = to_wire(outcomes[i].error);
                     response.responses[i].error_message = optional_text(outcomes[i].message);
                   }
                   call.reply(response);
                 });
}

}  // namespace cohort::api
