// Offsets of classic groups: who may commit, what may be deleted, what expires.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/classic/calls.h"
#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {
namespace {

using namespace std::chrono_literals;

JoinAs subscribed_to(const std::string& topic) {
  return {.protocols = {{"range", consumer_metadata({topic})}}, .type = "consumer"};
}

TEST_CASE("members commit with their generation, but not between two; an empty group takes anybody's") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 1);
  const auto members = c.stable(1);
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = members[0], .epoch = 1}) == "t:0=0");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = members[0], .epoch = 2}) == "t:0=22");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = "nobody", .epoch = 1}) == "t:0=25");
  CHECK(commit(h, "g", "t", {{0, 1}}) == "t:0=25");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = members[0]}) == "t:0=22");
  CHECK(c.join(members[0]).get().generation_id == 2);
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = members[0], .epoch = 2}) == "t:0=27");
  CHECK(c.leave(members[0]) == ErrorCode::kNone);
  CHECK(commit(h, "g", "t", {{0, 5}}) == "t:0=0");
  CHECK(fetch_all(h, "g") == "t:0=5");
}

TEST_CASE("offsets of subscribed topics are not deleted, and none of a group whose subscriptions are not known") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("used", 1);
  h.topic("other", 1);
  commit(h, "g", "used", {{0, 1}});
  commit(h, "g", "other", {{0, 1}});
  SECTION("consumers") {
    const auto members = c.stable(1, subscribed_to("used"));
    CHECK(delete_offsets(h, "g", "used", {0}) == "used:0=86");
    CHECK(delete_offsets(h, "g", "other", {0}) == "other:0=0");
    c.leave(members[0]);
    CHECK(delete_offsets(h, "g", "used", {0}) == "used:0=0");
  }
  SECTION("another protocol") {
    const auto members = c.stable(1);
    CHECK(delete_offsets(h, "g", "used", {0}) == "error 68 with 0 topics");
    c.leave(members[0]);
    CHECK(delete_offsets(h, "g", "used", {0}) == "used:0=0");
  }
}

TEST_CASE("a classic group is deleted when it is empty, with its offsets") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 1);
  const auto members = c.stable(1);
  commit(h, "g", "t", {{0, 1}}, {.member = members[0], .epoch = 1});
  const auto remove = [&] {
    return static_cast<ErrorCode>(
        std::get<DeletedGroups>(h.request(DeleteGroups{{protocol::GroupId("g")}})).at(0).error_code);
  };
  CHECK(remove() == ErrorCode::kNonEmptyGroup);
  c.leave(members[0]);
  c.new_id();  // is forgotten with the group
  h.records();
  CHECK(remove() == ErrorCode::kNone);
  CHECK(h.records() == Lines{"-offset g t:0", "-classic g"});
  CHECK(remove() == ErrorCode::kGroupIdNotFound);
  CHECK(c.stable(1).size() == 1);
}

TEST_CASE("offsets of an empty classic group expire from the time when it became empty, and the group with them") {
  config::GroupConfig config = classic_config();
  config.offsets_retention = 60min;
  Harness h(config);
  Classic c(h);
  h.topic("t", 1);
  const auto members = c.stable(1, {.session_ms = 1'800'000});
  commit(h, "g", "t", {{0, 1}}, {.member = members[0], .epoch = 1});
  for (int beats = 0; beats < 3; ++beats) {
    h.sleep(25min);
    c.beat(members[0], 1);
  }
  c.leave(members[0]);
  if (GENERATE(false, true)) h.restart();
  h.sleep(50min);
  CHECK(fetch_all(h, "g") == "t:0=1");
  h.sleep(20min);
  CHECK(fetch_all(h, "g").empty());
  CHECK(h.state().classic_groups.empty());
}

TEST_CASE("offsets of topics that a stable group does not subscribe to expire, those of other groups do not") {
  config::GroupConfig config = classic_config();
  config.offsets_retention = 60min;
  Harness h(config);
  Classic c(h);
  h.topic("used", 1);
  h.topic("other", 1);
  commit(h, "g", "used", {{0, 1}});
  commit(h, "g", "other", {{0, 1}});
  JoinAs as = GENERATE(subscribed_to("used"), JoinAs{});
  as.session_ms = 1'800'000;
  const auto members = c.stable(1, as);
  for (int beats = 0; beats < 8; ++beats) {
    h.sleep(20min);
    c.beat(members[0], 1);
  }
  CHECK(fetch_all(h, "g") == (as.type == "consumer" ? "used:0=1" : "other:0=1 used:0=1"));
}

}  // namespace
}  // namespace cohort::coordinator::testing
