// ListConfigResources v0-1 (key 74): the names of what can have a configuration (KIP-1142).
//   v0 client metrics only, under its old name ListClientMetricsResources; v1 all types, or those asked for. A type
//   that does not exist is UNSUPPORTED_VERSION.
// Groups are listed that have settings of their own. There are no client metrics.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/messages/list_config_resources_request.h"
#include "protocol/messages/list_config_resources_response.h"
#include "server/api/common.h"
#include "server/api/config_resource.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_list_config_resources(Call call, protocol::ListConfigResourcesRequest request) {
  using Response = protocol::ListConfigResourcesResponse;
  constexpr std::array kTypes{ConfigResourceType::kTopic, ConfigResourceType::kBroker,
                              ConfigResourceType::kBrokerLogger, ConfigResourceType::kClientMetrics,
                              ConfigResourceType::kGroup};
  Response response;
  for (const std::int8_t type : request.resource_types) {
    if (std::ranges::find(kTypes, static_cast<ConfigResourceType>(type)) == kTypes.end()) {
      response.error_code = to_wire(ErrorCode::kUnsupportedVersion);
      call.reply(response);
      return;
    }
  }
  const auto wanted = [&](ConfigResourceType type) {
    if (call.version() == 0) return type == ConfigResourceType::kClientMetrics;
    return request.resource_types.empty() ||
           std::ranges::find(request.resource_types, static_cast<std::int8_t>(type)) != request.resource_types.end();
  };
  const auto add = [&](ConfigResourceType type, const std::string& name) {
    Response::ConfigResource resource;
    resource.resource_name = Text(name);
    resource.resource_type = static_cast<std::int8_t>(type);
    response.config_resources.push_back(std::move(resource));
  };
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const std::string node = fmt::format("{}", node_id(call));
  if (wanted(ConfigResourceType::kGroup)) {
    for (const auto& [group, settings] : snapshot->groups()) add(ConfigResourceType::kGroup, group);
  }
  if (wanted(ConfigResourceType::kBrokerLogger)) add(ConfigResourceType::kBrokerLogger, node);
  if (wanted(ConfigResourceType::kBroker)) add(ConfigResourceType::kBroker, node);
  if (wanted(ConfigResourceType::kTopic)) {
    for (const auto& topic : snapshot->topics()) add(ConfigResourceType::kTopic, topic->name.value());
  }
  call.reply(response);
}

}  // namespace cohort::api
