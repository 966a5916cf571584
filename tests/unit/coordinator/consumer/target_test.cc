// When targets are computed: the assignment interval (KIP-1263), and jobs for large groups.
#include <catch2/catch.hpp>

#include "server/coordinator/consumer/consumer_groups.h"
#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

namespace {

constexpr std::int32_t kMany = 20'000;  // partitions, enough for a job

std::size_t count(const Harness& h, const std::string& member) {
  std::size_t partitions = 0;
  for (const auto& [topic, owned] : h.member(member).assigned) partitions += owned.size();
  return partitions;
}

}  // namespace

TEST_CASE("within the assignment interval newcomers get the last assignment epoch and nothing") {
  Harness h(config::GroupConfig{});
  h.topic("t", 2);
  CHECK(h.join("m1", {.topics = {{"t"}}}).assignment == Owned{{"t", {0, 1}}});  // the first one is computed at once
  h.sleep(999ms);
  h.records();
  const Answer early = h.join("m2", {.topics = {{"t"}}});
  CHECK(early.epoch == 2);
  CHECK(early.assignment == Owned{});
  CHECK(h.records() == Lines{"member m2 [t]", "group 3", "current m2 2<0 stable"});
  CHECK(h.group().state() == ConsumerGroupState::kAssigning);
  CHECK(h.describe().group_epoch == 3);
  CHECK(h.describe().assignment_epoch == 2);
  CHECK(h.beat("m1", 2).epoch == 2);
  CHECK(h.records().empty());

  h.sleep(1ms);
  const Answer computed = h.beat("m2", 2);
  CHECK(computed.epoch == 3);
  CHECK(h.records() == Lines{"target m1 t:0", "target m2 t:1", "assignment 3", "current m2 3<2 unreleased"});
  CHECK(h.group().state() == ConsumerGroupState::kReconciling);
}

TEST_CASE("many changes within an interval make one target") {
  Harness h(config::GroupConfig{});
  h.topic("t", 8);
  h.join("m0", {.topics = {{"t"}}});
  for (int i = 1; i < 8; ++i) h.join("m" + std::to_string(i), {.topics = {{"t"}}});
  CHECK(h.group().epoch.value() == 9);
  CHECK(h.group().assignment_epoch.value() == 2);
  h.sleep(1s);
  h.beat("m0", 2, {.owned = Owned{{"t", {0}}}});
  CHECK(h.group().assignment_epoch.value() == 9);
}

TEST_CASE("a group may have an interval of its own") {
  Harness h(config::GroupConfig{});
  h.topic("t", 2);
  h.override_group("g", {.consumer_assignment_interval = 5s});
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  h.sleep(4999ms);
  CHECK(h.beat("m2", 2).epoch == 2);
  h.sleep(1ms);
  CHECK(h.beat("m2", 2).epoch == 3);
}

TEST_CASE("the interval of the last target is known after a restart") {
  Harness h(config::GroupConfig{});
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.restart();
  CHECK(h.join("m2", {.topics = {{"t"}}}).epoch == 2);
  h.sleep(1s);
  CHECK(h.beat("m2", 2).epoch == 3);
}

TEST_CASE("a static successor within the interval has its predecessor's target") {
  Harness h(config::GroupConfig{});
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  h.leave_for_a_while("m1", "i");
  CHECK(h.join("m2", {.topics = {{"t"}}, .instance = "i"}).assignment == Owned{{"t", {0, 1}}});
}

TEST_CASE("the target of a large group is computed by a job") {
  config::GroupConfig config = exact_config();
  config.consumer_assignor_offload = true;
  Harness h(config);
  h.topic("small", 1);
  h.topic("t", kMany);
  CHECK(h.join("m0", {.topics = {{"small"}}, .group = "other"}).epoch == 2);  // not worth a job
  CHECK(h.jobs() == 0);

  const Answer joined = h.join("m1", {.topics = {{"t"}}});
  CHECK(joined.epoch == 1);
  CHECK(joined.assignment == Owned{});
  CHECK(h.jobs() == 1);
  h.beat("m1", 1);
  CHECK(h.jobs() == 1);  // one at a time
  CHECK(h.group().state() == ConsumerGroupState::kAssigning);

  SECTION("and reaches the member with its next heartbeat") {
    h.run_jobs();
    CHECK(h.group().assignment_epoch.value() == 2);
    CHECK(h.beat("m1", 1).epoch == 2);
    CHECK(count(h, "m1") == kMany);
  }
  SECTION("who joins meanwhile has no part in it, but in the next") {
    h.join("m2", {.topics = {{"t"}}});
    CHECK(h.jobs() == 1);
    h.run_jobs();
    CHECK(h.group().assignment_epoch.value() == 2);
    CHECK(h.group().epoch.value() == 3);
    h.beat("m2", 1);
    CHECK(h.jobs() == 1);
    h.run_jobs();
    CHECK(h.group().assignment_epoch.value() == 3);
    CHECK(h.beat("m2", 2).epoch == 3);
    CHECK(count(h, "m2") == kMany / 2);
  }
  SECTION("who leaves meanwhile gets nothing") {
    h.join("m2", {.topics = {{"t"}}});
    h.run_jobs();
    h.beat("m1", 1);
    h.leave("m2");
    h.run_jobs();
    CHECK_FALSE(h.group().target.contains("m2"));
    h.beat("m1", 2);
    h.run_jobs();
    CHECK(h.group().assignment_epoch == h.group().epoch);
  }
  SECTION("a group that was deleted and made anew drops the result of the first one") {
    h.leave("m1");
    Output tombstones;
    append_group_tombstones(protocol::GroupId("g"), h.group(), tombstones);
    for (const auto& record : tombstones.records) h.append(record);
    h.join("m1", {.topics = {{"t"}}});
    h.run_jobs();
    CHECK(h.group().assignment_epoch.value() == 1);
    h.beat("m1", 1);
    h.run_jobs();
    CHECK(h.beat("m1", 1).epoch == 2);
    CHECK(count(h, "m1") == kMany);
  }
}

TEST_CASE("a static member that is replaced while the job runs leaves its part to its successor") {
  config::GroupConfig config = exact_config();
  config.consumer_assignor_offload = true;
  Harness h(config);
  h.topic("t", kMany);
  h.join("m1", {.topics = {{"t"}}, .instance = "i"});
  h.leave_for_a_while("m1", "i");
  h.join("m2", {.topics = {{"t"}}, .instance = "i"});
  h.run_jobs();
  CHECK(h.beat("m2", 1, {.instance = "i"}).epoch == 2);
  CHECK(count(h, "m2") == kMany);
}

}  // namespace cohort::coordinator::testing
