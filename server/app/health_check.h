// `cohortd --healthcheck`: asks the server that runs with the same configuration whether it answers. Blocking; for a
// process of its own, such as Docker's HEALTHCHECK.
#pragma once

#include "protocol/base/result.h"
#include "server/config/server_config.h"

namespace cohort::app {

// Connects to the first listener and has ApiVersions and Metadata answered, within a few seconds in all. The error says
// what failed.
Result<void> check_health(const config::NetConfig& net);

}  // namespace cohort::app
