#include "server/app/log_sink.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "protocol/base/log.h"

namespace cohort::app {
namespace {

spdlog::level::level_enum level_of(log::Level level) {
  switch (level) {
    case log::Level::kTrace:
      return spdlog::level::trace;
    case log::Level::kDebug:
      return spdlog::level::debug;
    case log::Level::kInfo:
      return spdlog::level::info;
    case log::Level::kWarn:
      return spdlog::level::warn;
    case log::Level::kError:
      return spdlog::level::err;
    case log::Level::kFatal:
      return spdlog::level::critical;
    case log::Level::kOff:
      break;
  }
  return spdlog::level::off;
}

void sink(log::Level level, std::string_view component, std::string_view text) {
  spdlog::log(level_of(level), "[{}] {}", component, text);
}

}  // namespace

void install_log_sink(const config::LogConfig& config) {
  auto logger = spdlog::stdout_logger_mt("cohortd");
  logger->set_pattern("[%Y-%m-%d %H:%M:%S,%e] %^%l%$ %v");
  logger->set_level(spdlog::level::trace);  // log.h has the say
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
  log::set_sink(sink);
  log::set_level(config.level);
  for (const auto& [component, level] : config.levels) log::set_level(component, level);
}

}  // namespace cohort::app
