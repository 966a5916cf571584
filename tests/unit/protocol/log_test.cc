#include "protocol/base/log.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace cohort {
namespace {

std::vector<std::string>& lines() {
  static std::vector<std::string> kept;
  return kept;
}

TEST_CASE("what clients choose cannot begin a line of the log or steer a terminal") {
  log::set_sink([](log::Level, std::string_view, std::string_view text) { lines().emplace_back(text); });
  log::warn("Test", "group {} of {}", "a\n[forged] \x1b[31m\x7f", std::string_view("\0b", 2));
  log::warn("Test", "Gruppe {}", "Müller");
  log::set_sink([](log::Level, std::string_view, std::string_view) {});
  CHECK(lines() == std::vector<std::string>{R"(group a\x0a[forged] \x1b[31m\x7f of \x00b)", "Gruppe Müller"});
}

TEST_CASE("levels: a component has its own or the root's") {
  const auto restore = log::root_level();
  log::set_level(log::Level::kWarn);
  CHECK_FALSE(log::enabled(log::Level::kInfo, "Log"));
  CHECK(log::enabled(log::Level::kError, "Log"));
  REQUIRE(log::set_level("Log", log::Level::kDebug));
  CHECK(log::enabled(log::Level::kDebug, "Log"));
  CHECK_FALSE(log::enabled(log::Level::kTrace, "Log"));
  CHECK_FALSE(log::enabled(log::Level::kInfo, "LogSet"));
  CHECK_FALSE(log::enabled(log::Level::kInfo, "Unheard"));
  CHECK(log::level_of("Log") == log::Level::kDebug);
  CHECK(log::level_of("LogSet") == log::Level::kWarn);
  log::set_level(log::Level::kTrace);
  CHECK_FALSE(log::enabled(log::Level::kTrace, "Log"));
  REQUIRE(log::set_level("Log", std::nullopt));
  CHECK(log::enabled(log::Level::kTrace, "Log"));
  CHECK_FALSE(log::set_level("Unheard", log::Level::kInfo));
  log::set_level(restore);
}

TEST_CASE("levels: Kafka's names, in any case") {
  for (const char* name : {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"}) {
    CHECK(log::name_of(log::parse_level(name).value()) == name);
  }
  CHECK(log::parse_level("warn") == log::Level::kWarn);
  CHECK(log::parse_level("All") == log::Level::kTrace);
  CHECK_FALSE(log::parse_level("").has_value());
  CHECK_FALSE(log::parse_level("WARNING").has_value());
}

}  // namespace
}  // namespace cohort
