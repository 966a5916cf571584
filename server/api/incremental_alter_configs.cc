// IncrementalAlterConfigs v0-1 (key 44): changes to the configuration of topics and groups and to the levels of the log
// (KIP-339, KIP-412); v1 only encodes differently.
// The server's own keys cannot change at run time, and client metrics have no settings here: INVALID_REQUEST, each with
// its reason. Groups have the keys of config/group_settings.h; any other, those of share and streams groups too, is
// INVALID_CONFIG.
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "server/api/config_changes.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_incremental_alter_configs(Call call, protocol::IncrementalAlterConfigsRequest request) {
  protocol::IncrementalAlterConfigsResponse response;
  std::vector<ResourceChanges> resources;
  for (const auto& resource : request.resources) {
    auto& out = response.responses.emplace_back();
    out.resource_type = resource.resource_type;
    out.resource_name = Text(resource.resource_name);
    auto& changes = resources.emplace_back(
        ResourceChanges{.type = resource.resource_type, .name = resource.resource_name.str(), .changes = {}});
    for (const auto& config : resource.configs) {
      changes.changes.push_back({.name = config.name.str(),
                                 .op = static_cast<topics::ConfigOp>(config.config_operation),
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
