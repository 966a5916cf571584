#include "server/api/broker_loggers.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/log.h"

namespace cohort::api {
namespace {

using protocol::ErrorCode;

bool exists(std::string_view logger) {
  return logger == kRootLogger || std::ranges::binary_search(log::components(), logger);
}

// LogLevelConfig.VALID_LOG_LEVELS: capital letters only, and OFF is none.
std::optional<log::Level> level_named(std::string_view text) {
  const auto level = log::parse_level(text);
  if (!level || *level == log::Level::kOff || log::name_of(*level) != text) return std::nullopt;
  return level;
}

std::optional<LoggerRefusal> check(const topics::ConfigChange& change) {
  switch (change.op) {
    case topics::ConfigOp::kSet:
      if (!exists(change.name)) break;
      if (!level_named(change.value.value_or(""))) {
        return LoggerRefusal{ErrorCode::kInvalidConfig,
                             fmt::format("Cannot set the log level of {} to {} as it is not a supported log level. "
                                         "Valid log levels are DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
                                         change.name, change.value.value_or(""))};
      }
      return std::nullopt;
    case topics::ConfigOp::kDelete:
      if (!exists(change.name)) break;
      if (change.name == kRootLogger) {
        return LoggerRefusal{ErrorCode::kInvalidRequest, "Removing the log level of the root logger is not allowed"};
      }
      return std::nullopt;
    case topics::ConfigOp::kAppend:
      return LoggerRefusal{ErrorCode::kInvalidRequest,
                           "APPEND operation is not allowed for the BROKER_LOGGER resource"};
    case topics::ConfigOp::kSubtract:
      return LoggerRefusal{ErrorCode::kInvalidRequest,
                           "SUBTRACT operation is not allowed for the BROKER_LOGGER resource"};
  }
  return LoggerRefusal{ErrorCode::kInvalidConfig, fmt::format("Logger {} does not exist!", change.name)};
}

}  // namespace

std::optional<LoggerRefusal> alter_loggers(const std::vector<topics::ConfigChange>& changes, bool validate_only) {
  for (const topics::ConfigChange& change : changes) {
    if (auto refusal = check(change)) return refusal;
  }
  if (validate_only) return std::nullopt;
  for (const topics::ConfigChange& change : changes) {
    if (change.op == topics::ConfigOp::kDelete) {
      log::set_level(change.name, std::nullopt);
      log::warn("Api", "Unset the log level of {}", change.name);
      continue;
    }
    const log::Level level = level_named(*change.value).value();
    if (change.name == kRootLogger) {
      log::set_level(level);
    } else {
      log::set_level(change.name, level);
    }
    log::warn("Api", "Updated the log level of {} to {}", change.name, *change.value);
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> describe_loggers() {
  std::vector<std::pair<std::string, std::string>> loggers;
  for (const std::string_view component : log::components()) {
    loggers.emplace_back(component, log::name_of(log::level_of(component)));
  }
  loggers.emplace_back(kRootLogger, log::name_of(log::root_level()));
  return loggers;
}

}  // namespace cohort::api
