#include <catch2/catch.hpp>

#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {

TEST_CASE("offsets are deleted one by one, and missing ones are no error") {
  Harness h;
  h.topic("t", 3);
  commit(h, "g", "t", {{0, 1}, {1, 2}});
  h.records();
  CHECK(delete_offsets(h, "g", "t", {0, 2}) == "t:0=0 t:2=0");
  CHECK(h.records() == Lines{"-offset g t:0"});
  CHECK(delete_offsets(h, "g", "none", {0}) == "none:0=0");
  CHECK(h.records().empty());
  CHECK(fetch_all(h, "g") == "t:1=2");
  CHECK(delete_offsets(h, "g", "t", {1}) == "t:1=0");
  CHECK(h.state().offsets.groups.empty());
  h.restart();
  CHECK(fetch_all(h, "g").empty());
}

TEST_CASE("deleting offsets of a missing group, or of none, is an error") {
  Harness h;
  CHECK(delete_offsets(h, "g", "t", {0}) == "error 69 with 0 topics");
  CHECK(delete_offsets(h, "", "t", {0}) == "error 24 with 0 topics");
}

TEST_CASE("a topic that a live consumer group subscribes to keeps its offsets") {
  Harness h;
  h.topic("used", 1);
  h.topic("unused", 1);
  commit(h, "g", "used", {{0, 1}});
  commit(h, "g", "unused", {{0, 1}});
  h.join("m1", {.topics = {{"used"}}});
  h.records();
  CHECK(delete_offsets(h, "g", "used", {0}) == "used:0=86");
  CHECK(delete_offsets(h, "g", "unused", {0}) == "unused:0=0");
  CHECK(h.records() == Lines{"-offset g unused:0"});
  h.leave("m1");
  h.records();
  CHECK(delete_offsets(h, "g", "used", {0}) == "used:0=0");
  CHECK(h.records() == Lines{"-offset g used:0"});
  // The consumer group itself is still there.
  CHECK(delete_offsets(h, "g", "used", {0}) == "used:0=0");
}

TEST_CASE("offsets of groups that are not served are left alone") {
  Harness h;
  h.topic("t", 1);
  h.append(protocol::StreamsGroupMetadataRecord{.key = {.group_id = "g"}, .value = {{}}});
  CHECK(delete_offsets(h, "g", "t", {0}) == "error 68 with 0 topics");
  h.append(protocol::ShareGroupMetadataRecord{.key = {.group_id = "s"}, .value = protocol::ShareGroupMetadataValue{}});
  CHECK(delete_offsets(h, "s", "t", {0}) == "error 69 with 0 topics");
}

}  // namespace cohort::coordinator::testing
