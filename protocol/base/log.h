// The log façade: what every room may use to say something, without knowing who prints it. `app` installs a sink
// (spdlog); without one, lines go to stderr from kWarn up. Thread-safe after start-up: the sink is set once, before
// threads exist, and must itself be thread-safe. The text is only formatted when the level is on.
//
// Levels are kept per component and can change at any time, from any thread; a component without a level of its own has
// that of the root, as Kafka's loggers have.
#pragma once

#include <fmt/format.h>

#include <atomic>
#include <optional>
#include <span>
#include <string_view>

namespace cohort::log {

enum class Level : int { kTrace, kDebug, kInfo, kWarn, kError, kFatal, kOff };

// "INFO", in any case; also ALL, which is TRACE.
std::optional<Level> parse_level(std::string_view name);
std::string_view name_of(Level level);

// component: the room or class that speaks, e.g. "GroupCoordinator"; both views live only during the call.
using Sink = void (*)(Level level, std::string_view component, std::string_view text);

void set_sink(Sink sink);

// Every component there is, sorted. A name that is missing here cannot have a level of its own: tests/lint compares.
std::span<const std::string_view> components();

void set_level(Level root);
Level root_level();
// nullopt: the root's level from now on. False when there is no such component.
bool set_level(std::string_view component, std::optional<Level> level);
// What is in force: its own level or the root's.
Level level_of(std::string_view component);

namespace detail {
extern std::atomic<Level> g_lowest;  // of all levels in force
bool enabled_for(Level level, std::string_view component);
}  // namespace detail

inline bool enabled(Level level, std::string_view component) {
  return level >= detail::g_lowest.load(std::memory_order_relaxed) && detail::enabled_for(level, component);
}
void write(Level level, std::string_view component, std::string_view text);

template <typename... Args>
void debug(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug, component)) {
    write(Level::kDebug, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void info(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo, component)) {
    write(Level::kInfo, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void warn(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarn, component)) {
    write(Level::kWarn, component, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void error(std::string_view component, fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError, component)) {
    write(Level::kError, component, fmt::format(format, std::forward<Args>(args)...));
  }
}

}  // namespace cohort::log
