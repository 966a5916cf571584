// The resource type BROKER_LOGGER (KIP-412): the levels of the log's components, each a setting of this node, changed
// while it runs and forgotten when it ends. Rules and texts are those of Kafka's RuntimeLoggerManager. Any thread.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/types/error_code.h"
#include "server/topics/catalogue_requests.h"

namespace cohort::api {

// The root's name among the loggers, as in Kafka.
inline constexpr std::string_view kRootLogger = "root";

struct LoggerRefusal {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::string message;
};

// All changes or none; nothing but the checks with validate_only.
std::optional<LoggerRefusal> alter_loggers(const std::vector<topics::ConfigChange>& changes, bool validate_only);

// Every component and the root, with the name of the level in force; sorted by name.
std::vector<std::pair<std::string, std::string>> describe_loggers();

}  // namespace cohort::api
