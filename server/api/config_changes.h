// What AlterConfigs and IncrementalAlterConfigs share: the checks before the catalogue (Kafka's
// ConfigAdminManager.preprocess), the levels of the log, and the catalogue's part.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "server/api/call.h"
#include "server/api/common.h"
#include "server/topics/catalogue_requests.h"

namespace cohort::api {

// One resource of a request. The changes' operations may be any number that a client wrote.
struct ResourceChanges {
  std::int8_t type = 0;  // ConfigResourceType, or what a client took for one
  std::string name;
  std::vector<topics::ConfigChange> changes;
  bool replace = false;  // the changes are all that the resource has afterwards (AlterConfigs)
};

struct ConfigOutcome {
  ErrorCode error = ErrorCode::kNone;
  std::string message;
};

// done: an outcome for each resource, in their order; on the connection's reactor, perhaps inside.
void change_configs(const Services& services, std::vector<ResourceChanges> resources, bool validate_only,
                    std::move_only_function<void(std::vector<ConfigOutcome>)> done);

}  // namespace cohort::api
