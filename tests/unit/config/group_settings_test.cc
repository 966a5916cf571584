#include "server/config/group_settings.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "server/config/key.h"

namespace cohort::config {
namespace {

std::string verdict(const GroupSettings& settings) {
  auto checked = check_group_settings(settings, GroupConfig{});
  return checked ? "accepted" : checked.error().message;
}

TEST_CASE("group settings: each has a key of the server behind it") {
  for (const GroupSettingKey& key : group_setting_keys()) {
    INFO(key.name);
    CHECK(find_key(key.server_key) != nullptr);
    CHECK(find_group_setting_key(key.name) == &key);
  }
  CHECK(find_group_setting_key("consumer.nothing") == nullptr);
}

TEST_CASE("group settings: within the bounds of the server") {
  CHECK(verdict({}) == "accepted");
  CHECK(verdict({{"consumer.session.timeout.ms", "50000"}, {"consumer.heartbeat.interval.ms", "6000"}}) == "accepted");
  CHECK(verdict({{"consumer.session.timeout.ms", "60001"}}) ==
        "consumer.session.timeout.ms=60001 must be a whole number from 45000 to 60000");
  CHECK(verdict({{"consumer.heartbeat.interval.ms", "4999"}}).find("from 5000 to 15000") != std::string::npos);
  CHECK(verdict({{"consumer.assignment.interval.ms", "-1"}}).find("from 0 to 15000") != std::string::npos);
  CHECK(verdict({{"consumer.session.timeout.ms", "long"}}).find("whole number") != std::string::npos);
  CHECK(verdict({{"consumer.nothing", "1"}}) == "Unknown group config name: consumer.nothing");
}

TEST_CASE("group settings: offsets are kept for minutes or for ever") {
  CHECK(verdict({{"offsets.retention.minutes", " -1"}}) == "accepted");
  CHECK(verdict({{"offsets.retention.minutes", "1"}}) == "accepted");
  for (const char* bad : {"0", "-2", "x", "99999999999"}) {
    CHECK(verdict({{"offsets.retention.minutes", bad}}) ==
          fmt::format("offsets.retention.minutes={} must be -1 or a whole number above 0", bad));
  }
  const auto kept = check_group_settings({{"offsets.retention.minutes", " 090"}}, GroupConfig{});
  REQUIRE(kept.has_value());
  CHECK(kept->at("offsets.retention.minutes") == "90");
  CHECK(own_group_setting(*kept, kGroupOffsetsRetention) == std::chrono::minutes{90});
  CHECK(own_group_setting({{"offsets.retention.minutes", "-1"}}, kGroupOffsetsRetention) == Duration::max());
  CHECK(explain_clamped("g", {{"offsets.retention.minutes", "-1"}}, GroupConfig{}).empty());
}

TEST_CASE("group settings: the session timeout is above the heartbeat interval") {
  GroupConfig wide;
  wide.consumer_min_session_timeout = Duration{1};
  const GroupSettings equal{{"consumer.session.timeout.ms", "5000"}, {"consumer.heartbeat.interval.ms", "5000"}};
  CHECK_FALSE(check_group_settings(equal, wide).has_value());
  CHECK_FALSE(check_group_settings({{"consumer.session.timeout.ms", "4000"}}, wide).has_value());
  CHECK(check_group_settings({{"consumer.session.timeout.ms", "5001"}}, wide).has_value());
}

TEST_CASE("group settings: kept as Kafka prints them") {
  const auto checked = check_group_settings({{"consumer.session.timeout.ms", " +050000\n"}}, GroupConfig{});
  REQUIRE(checked.has_value());
  CHECK(*checked == GroupSettings{{"consumer.session.timeout.ms", "50000"}});
}

TEST_CASE("group settings: what is stored and lies outside the bounds is told in words") {
  GroupConfig config;
  const auto told = [&](const GroupSettings& settings) { return explain_clamped("g", settings, config); };
  CHECK(told({{"consumer.session.timeout.ms", "50000"}}).empty());
  CHECK(told({{"consumer.nothing", "1"}, {"consumer.session.timeout.ms", "x"}}).empty());
  const auto high = told({{"consumer.session.timeout.ms", "70000"}, {"consumer.assignment.interval.ms", "3"}});
  REQUIRE(high.size() == 1);
  CHECK(high[0] ==
        "group 'g' has consumer.session.timeout.ms=70000, but the server allows 45000 to 60000: 60000 is used");
  CHECK(told({{"consumer.heartbeat.interval.ms", "1"}, {"consumer.session.timeout.ms", "1"}}).size() == 2);
  // Clamped values may contradict each other.
  config.consumer_min_session_timeout = Duration{1};
  config.consumer_max_session_timeout = Duration{4000};
  const auto both = told({{"consumer.session.timeout.ms", "50000"}});
  REQUIRE(both.size() == 2);
  CHECK(both[1].find("not above its heartbeat interval of 5000 ms") != std::string::npos);
}

TEST_CASE("group settings: read as durations") {
  const GroupSettings settings{{"consumer.session.timeout.ms", "50000"}, {"consumer.heartbeat.interval.ms", "x"}};
  CHECK(own_group_setting(settings, kGroupSessionTimeout) == Duration{50'000});
  CHECK_FALSE(own_group_setting(settings, kGroupHeartbeatInterval).has_value());
  CHECK_FALSE(own_group_setting(settings, kGroupAssignmentInterval).has_value());
}

}  // namespace
}  // namespace cohort::config
