// The log façade: what every room may use to say something, without knowing who prints it. `app` installs a sink
// (spdlog); without one, lines go to stderr from kWarn up. Thread-safe after start-up: the sink is set once, before
// threads exist, and must itself be thread-safe. The text is only formatted when the level is on.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <string_view>

namespace cohort::log {

enum class Level : int { kTrace, kDebug, kInfo, kWarn, kError, kOff };

// component: the room or class that speaks, e.g. "GroupCoordinator"; both views live only during the call.
using Sink = void (*)(Level level, std::string_view component, std::string_view text);

void set_sink(Sink sink);
void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view component, std::string_view text);

template <typename... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) write(Level::kDebug, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarn)) write(Level::kWarn, component, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError)) write(Level::kError, component, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cohort::log
