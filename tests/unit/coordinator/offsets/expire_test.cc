#include <catch2/catch.hpp>

#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

namespace {

// Retention of an hour, looked after every ten minutes.
config::GroupConfig short_retention() {
  config::GroupConfig config = exact_config();
  config.offsets_retention = 60min;
  config.offsets_retention_check_interval = 10min;
  config.consumer_session_timeout = 24h;
  return config;
}

}  // namespace

TEST_CASE("offsets of a simple group expire by their commit time") {
  Harness h(short_retention());
  h.topic("t", 2);
  commit(h, "g", "t", {{0, 1}});
  h.sleep(30min);
  commit(h, "g", "t", {{1, 1}});
  h.records();
  h.sleep(29min);
  CHECK(h.records().empty());
  h.sleep(10min);
  CHECK(h.records() == Lines{"-offset g t:0"});
  h.sleep(30min);
  CHECK(h.records() == Lines{"-offset g t:1"});
  CHECK(h.state().offsets.groups.empty());
}

TEST_CASE("a group may have a retention of its own, shorter or for ever") {
  Harness h(short_retention());
  h.topic("t", 1);
  for (const char* group : {"default", "ever", "short"}) commit(h, group, "t", {{0, 1}});
  h.override_group("short", {.offsets_retention = 20min});
  h.override_group("ever", {.offsets_retention = Duration::max()});
  h.records();
  h.sleep(19min);
  CHECK(h.records().empty());
  h.sleep(2min);
  CHECK(h.records() == Lines{"-offset short t:0"});
  h.sleep(40min);
  CHECK(h.records() == Lines{"-offset default t:0"});
  h.sleep(100h);
  CHECK(h.records().empty());
  CHECK(fetch_all(h, "ever") == "t:0=1");
}

TEST_CASE("a new commit keeps an offset alive") {
  Harness h(short_retention());
  h.topic("t", 1);
  for (int n = 0; n < 5; ++n) {
    commit(h, "g", "t", {{0, n}});
    h.sleep(50min);
  }
  CHECK(fetch_all(h, "g") == "t:0=4");
}

TEST_CASE("an offset with its own expiry goes by that") {
  Harness h(short_retention());
  h.topic("t", 2);
  commit(h, "g", "t", {{0, 1}}, {.version = 4, .retention_time_ms = 60'000});
  commit(h, "g", "t", {{1, 1}}, {.version = 4, .retention_time_ms = 120 * 60'000});
  h.records();
  h.sleep(10min);
  CHECK(h.records() == Lines{"-offset g t:0"});
  h.sleep(109min);
  CHECK(h.records().empty());
  h.sleep(1min);
  CHECK(h.records() == Lines{"-offset g t:1"});
}

TEST_CASE("offsets of topics that a live group subscribes to never expire, others do") {
  Harness h(short_retention());
  h.topic("used", 1);
  h.topic("unused", 1);
  h.join("m1", {.topics = {{"used"}}});
  commit(h, "g", "used", {{0, 1}}, {.member = "m1", .epoch = 2});
  commit(h, "g", "unused", {{0, 1}}, {.member = "m1", .epoch = 2});
  h.records();
  h.sleep(5h);
  CHECK(h.records() == Lines{"-offset g unused:0"});
  CHECK(fetch_all(h, "g") == "used:0=1");
}

TEST_CASE("an empty consumer group goes with its last offset") {
  Harness h(short_retention());
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  commit(h, "g", "t", {{0, 1}}, {.member = "m1", .epoch = 2});
  h.leave("m1");
  h.records();
  h.sleep(59min);
  CHECK(h.records().empty());
  h.sleep(1min);
  const Lines lines = h.records();
  REQUIRE_FALSE(lines.empty());
  CHECK(lines.front() == "-offset g t:0");
  CHECK(lines.back() == "-group");
  CHECK(h.state().find_consumer_group("g") == nullptr);
}

TEST_CASE("an empty consumer group without offsets goes at the next look") {
  Harness h(short_retention());
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.sleep(10min);
  CHECK(h.state().find_consumer_group("g") != nullptr);
  h.leave("m1");
  h.sleep(10min);
  CHECK(h.state().find_consumer_group("g") == nullptr);
}

TEST_CASE("groups that are not served keep their offsets") {
  Harness h(short_retention());
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 1}});
  h.append(protocol::StreamsGroupMetadataRecord{.key = {.group_id = "g"}, .value = {{}}});
  h.sleep(5h);
  CHECK(fetch_all(h, "g") == "t:0=1");
}

TEST_CASE("many expired offsets are removed in several steps, each offset once") {
  Harness h(short_retention());
  h.topic("t", 9000);
  Offsets offsets;
  for (std::int32_t partition = 0; partition < 9000; ++partition) offsets.emplace_back(partition, 1);
  for (const char* group : {"a", "b"}) commit(h, group, "t", offsets);
  h.join("m1", {.topics = {{"t"}}, .group = "b"});
  h.leave("m1", {.group = "b"});
  h.records();
  const std::int64_t before = h.last_offset();
  h.sleep(60min + 1s);  // the looks take a little time
  CHECK(h.state().offsets.count == 0);
  CHECK(h.state().find_consumer_group("b") == nullptr);
  CHECK(h.largest_step() < 9000);
  std::size_t tombstones = 0;
  for (const std::string& line : h.records()) tombstones += line.starts_with("-offset") ? 1U : 0U;
  CHECK(tombstones == 18'000);
  CHECK(h.last_offset() - before < 18'010);
  CHECK(h.deadline(TimerKind::kOffsetExpiration, "", "") > Duration(9min));
}

TEST_CASE("the look comes again after a restart") {
  Harness h(short_retention());
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 1}});
  h.sleep(55min);
  h.restart();
  CHECK(h.deadline(TimerKind::kOffsetExpiration, "", "") == Duration(10min));
  h.sleep(10min);
  CHECK(fetch_all(h, "g").empty());
}

// --- deleted topics ---

TEST_CASE("offsets go with their topic, in all groups, live or not") {
  Harness h;
  h.topic("t", 2);
  h.topic("u", 1);
  h.join("m1", {.topics = {{"t"}}});
  commit(h, "g", "t", {{0, 1}, {1, 1}}, {.member = "m1", .epoch = 2});
  commit(h, "g", "u", {{0, 1}}, {.member = "m1", .epoch = 2});
  commit(h, "simple", "t", {{1, 1}});
  h.records();
  h.drop_topic("t");
  Lines tombstones;
  for (const std::string& line : h.records()) {
    if (line.find("offset") != std::string::npos) tombstones.push_back(line);
  }
  CHECK(tombstones == Lines{"-offset g t:0", "-offset g t:1", "-offset simple t:1"});
  CHECK(fetch_all(h, "g") == "u:0=1");
}

TEST_CASE("leftovers of a deleted topic do not pass to its successor") {
  Harness h;
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 100}});
  h.records();
  h.replace_topic("t", 1);  // deleted and made again, seen as one change
  CHECK(h.records() == Lines{"-offset g t:0"});
  CHECK(fetch_all(h, "g").empty());
  commit(h, "g", "t", {{0, 5}});
  CHECK(fetch_all(h, "g") == "t:0=5");
}

TEST_CASE("what a crash left of a deleted topic is removed after load") {
  Harness h;
  h.topic("t", 1);
  h.topic("kept", 1);
  commit(h, "g", "t", {{0, 100}});
  commit(h, "g", "kept", {{0, 7}});
  h.records();
  SECTION("the topic is gone") {
    h.drop_topic_unseen("t");
    h.restart();
    CHECK(h.records() == Lines{"-offset g t:0"});
  }
  SECTION("the name exists again") {
    h.drop_topic_unseen("t");
    h.topic_unseen("t", 1);
    h.restart();
    CHECK(h.records() == Lines{"-offset g t:0"});
  }
  CHECK(fetch_all(h, "g") == "kept:0=7");
}

TEST_CASE("offsets without a topic id are judged by name") {
  Harness h;
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 1}}, {.version = 4, .retention_time_ms = 1'000'000'000});
  h.replace_topic("t", 1);
  CHECK(fetch_all(h, "g") == "t:0=1");
  h.drop_topic("t");
  CHECK(fetch_all(h, "g").empty());
  CHECK(h.state().offsets.count == 0);
}

TEST_CASE("offsets of a deleted topic are removed in several steps when there are many") {
  Harness h;
  h.topic("t", 9000);
  Offsets offsets;
  for (std::int32_t partition = 0; partition < 9000; ++partition) offsets.emplace_back(partition, 1);
  commit(h, "g", "t", offsets);
  h.records();
  h.drop_topic("t");
  CHECK(h.state().offsets.count > 0);
  CHECK(h.deadline(TimerKind::kOffsetExpiration, "", "") == Duration(1ms));
  h.sleep(10ms);
  CHECK(h.state().offsets.count == 0);
  CHECK(h.records().size() == 9000);
  CHECK(h.deadline(TimerKind::kOffsetExpiration, "", "") > Duration(9min));
}

TEST_CASE("a sweep looks at a bounded number of offsets in each step, and comes to all of them") {
  Harness h;
  h.topic("live", 6000);
  h.topic("x", 1);
  h.topic("y", 1);
  Offsets offsets;
  for (std::int32_t partition = 0; partition < 6000; ++partition) offsets.emplace_back(partition, 1);
  for (const char* group : {"a", "b"}) {
    commit(h, group, "live", offsets);
    commit(h, group, "x", {{0, 1}});
    commit(h, group, "y", {{0, 1}});
  }
  h.drop_topic("x");
  CHECK(h.state().offsets.count == 12'004);  // the first step saw the live ones of the first group
  h.sleep(1ms);
  CHECK(h.state().offsets.count == 12'003);
  SECTION("to its end") {
    h.sleep(1ms);
    CHECK(h.state().offsets.count == 12'002);
  }
  SECTION("and another deletion in the middle makes for another sweep") {
    h.drop_topic("y");
    h.sleep(20ms);
    CHECK(h.state().offsets.count == 12'000);
  }
  SECTION("and a load in the middle begins anew") {
    h.restart();
    h.sleep(20ms);
    CHECK(h.state().offsets.count == 12'002);
  }
  h.sleep(1ms);
  CHECK(h.deadline(TimerKind::kOffsetExpiration, "", "") > Duration(9min));
}

}  // namespace cohort::coordinator::testing
