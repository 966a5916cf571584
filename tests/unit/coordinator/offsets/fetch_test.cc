#include <catch2/catch.hpp>

#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {

TEST_CASE("what was never committed is -1 without an error") {
  Harness h;
  h.topic("t", 2);
  CHECK(fetch(h, "g", "t", {0, 1}) == "t:0=-1 t:1=-1");
  CHECK(fetch(h, "g", "none", {0}) == "none:0=-1");
  CHECK(fetch_all(h, "g").empty());
  commit(h, "g", "t", {{1, 5}});
  CHECK(fetch(h, "g", "t", {1, 0, 7}) == "t:1=5 t:0=-1 t:7=-1");
  CHECK(fetch(h, "g", "none", {0}) == "none:0=-1");
  CHECK(fetch(h, "g", "t", {}).empty());
}

TEST_CASE("a fetch of everything is in order of topics and partitions") {
  Harness h;
  h.topic("b", 100);
  h.topic("a", 2);
  commit(h, "g", "b", {{99, 1}, {0, 2}, {64, 3}});
  commit(h, "g", "a", {{1, 4}}, {.metadata = "note", .leader_epoch = 7});
  commit(h, "h", "a", {{0, 9}});
  CHECK(fetch_all(h, "g") == "a:1=4@7'note' b:0=2 b:64=3 b:99=1");
  CHECK(fetch_all(h, "g", {.require_stable = true}) == "a:1=4@7'note' b:0=2 b:64=3 b:99=1");
}

TEST_CASE("members of a consumer group fetch with their epoch, others without any") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  commit(h, "g", "t", {{0, 5}}, {.member = "m1", .epoch = 2});
  CHECK(fetch(h, "g", "t", {0}, {.member = "m1", .epoch = 2}) == "t:0=5");
  CHECK(fetch(h, "g", "t", {0}) == "t:0=5");
  CHECK(fetch(h, "g", "t", {0}, {.member = "m1", .epoch = 0}) == "error 113 with 0 topics");
  CHECK(fetch(h, "g", "t", {0}, {.member = "m1", .epoch = 3}) == "error 113 with 0 topics");
  CHECK(fetch(h, "g", "t", {0}, {.member = "stranger", .epoch = 2}) == "error 25 with 0 topics");
  CHECK(fetch(h, "g", "t", {0}, {.epoch = 2}) == "error 25 with 0 topics");
  CHECK(fetch_all(h, "g", {.member = "stranger", .epoch = 2}) == "error 25 with 0 topics");
}

TEST_CASE("a simple or missing group does not look at the member") {
  Harness h;
  h.topic("t", 1);
  CHECK(fetch(h, "g", "t", {0}, {.member = "m", .epoch = 5}) == "t:0=-1");
  commit(h, "g", "t", {{0, 5}});
  CHECK(fetch(h, "g", "t", {0}, {.member = "m", .epoch = 5}) == "t:0=5");
}

TEST_CASE("an offset of another topic id is not shown") {
  Harness h;
  h.topic("t", 1);
  const auto id = h.metadata().find("t")->id.value();
  commit(h, "g", "t", {{0, 5}});
  CHECK(fetch(h, "g", "t", {0}, {.topic_id = id}) == "t:0=5");
  CHECK(fetch(h, "g", "t", {0}, {.topic_id = protocol::Uuid(8, 8)}) == "t:0=-1");

  // A record of a topic that had the name before, as a log may still have it.
  protocol::OffsetCommitRecord leftover;
  leftover.key = {.group = "g", .topic = "t", .partition = 0};
  leftover.value = protocol::OffsetCommitValue{.offset = 99, .topic_id = protocol::Uuid(8, 8)};
  h.append(leftover);
  CHECK(fetch(h, "g", "t", {0}) == "t:0=-1");
  CHECK(fetch(h, "g", "t", {0}, {.topic_id = id}) == "t:0=-1");
  CHECK(fetch_all(h, "g").empty());

  // One without an id, from an old log, is.
  leftover.value->topic_id = {};
  h.append(leftover);
  CHECK(fetch(h, "g", "t", {0}) == "t:0=99");
  CHECK(fetch(h, "g", "t", {0}, {.topic_id = id}) == "t:0=99");
  CHECK(fetch_all(h, "g") == "t:0=99");
}

TEST_CASE("answers name topics by name and id") {
  Harness h;
  h.topic("t", 1);
  const auto id = h.metadata().find("t")->id.value();
  commit(h, "g", "t", {{0, 5}});
  FetchOffsets request;
  request.group.group_id = "g";
  request.group.topics = std::nullopt;
  const auto all = std::get<protocol::OffsetFetchResponse::OffsetFetchResponseGroup>(h.request(request));
  REQUIRE(all.topics.size() == 1);
  CHECK(all.topics[0].name == "t");
  CHECK(all.topics[0].topic_id == id);
}

TEST_CASE("offsets of groups that are not served can be read, but a share group has none") {
  Harness h;
  h.topic("t", 1);
  commit(h, "classic", "t", {{0, 1}});
  protocol::GroupMetadataRecord classic{.key = {.group = "classic"}, .value = protocol::GroupMetadataValue{}};
  h.append(classic);
  h.restart();
  CHECK(fetch_all(h, "classic") == "t:0=1");
  commit(h, "share", "t", {{0, 1}});
  h.append(
      protocol::ShareGroupMetadataRecord{.key = {.group_id = "share"}, .value = protocol::ShareGroupMetadataValue{}});
  CHECK(fetch(h, "share", "t", {0}) == "t:0=-1");
  CHECK(fetch_all(h, "share").empty());
  CHECK(commit(h, "share", "t", {{0, 2}}) == "t:0=69");
}

}  // namespace cohort::coordinator::testing
