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

}  // namespace
}  // namespace cohort
