#include <catch2/catch.hpp>

#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

TEST_CASE("a commit without a member makes a simple group, and may come again") {
  Harness h;
  h.topic("t", 2);
  CHECK(commit(h, "g", "t", {{0, 42}, {1, 7}}, {.metadata = "note", .leader_epoch = 3}) == "t:0=0 t:1=0");
  CHECK(h.records() == Lines{"offset g t:0 = 42@3 'note'", "offset g t:1 = 7@3 'note'"});
  CHECK(commit(h, "g", "t", {{0, 43}}) == "t:0=0");
  CHECK(h.records() == Lines{"offset g t:0 = 43"});
  CHECK(fetch_all(h, "g") == "t:0=43 t:1=7@3'note'");
  // Nobody asks who an admin client is.
  CHECK(commit(h, "g", "t", {{0, 44}}, {.member = "whoever"}) == "t:0=0");
}

TEST_CASE("records carry the topic id and the time of the commit") {
  Harness h;
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 42}});
  const CommittedOffset* offset = h.state().offsets.find("g", "t", 0);
  REQUIRE(offset != nullptr);
  CHECK(offset->topic_id == h.metadata().find("t")->id);
  CHECK(offset->commit_timestamp_ms == h.wall_ms());
  CHECK(offset->expire_timestamp_ms() == kNoExpireTimestamp);
  CHECK(offset->record_offset == h.last_offset());
}

TEST_CASE("an empty group id is legal, and any offset is") {
  Harness h;
  h.topic("t", 1);
  CHECK(commit(h, "", "t", {{0, -1}}) == "t:0=0");
  CHECK(fetch_all(h, "") == "t:0=-1");
  CHECK(h.state().offsets.count == 1);
}

TEST_CASE("a generation without a group is an error that depends on the version") {
  Harness h;
  h.topic("t", 2);
  CHECK(commit(h, "g", "t", {{0, 1}, {1, 1}}, {.member = "m", .epoch = 3, .version = 9}) == "t:0=69 t:1=69");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = "m", .epoch = 3, .version = 10}) == "t:0=69");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = "m", .epoch = 3, .version = 8}) == "t:0=22");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = "m", .epoch = 0, .version = 2}) == "t:0=22");
  CHECK(h.records().empty());
}

TEST_CASE("a generation is unknown to a simple group") {
  Harness h;
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 1}});
  h.records();
  CHECK(commit(h, "g", "t", {{0, 2}}, {.member = "m", .epoch = 3}) == "t:0=25");
  CHECK(commit(h, "g", "t", {{0, 2}}, {.epoch = 0}) == "t:0=25");
  CHECK(h.records().empty());
}

TEST_CASE("members of a consumer group commit with their epoch") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.records();
  CHECK(commit(h, "g", "t", {{0, 1}}, {.member = "m1", .epoch = 2}) == "t:0=0");
  CHECK(h.records() == Lines{"offset g t:0 = 1"});
  CHECK(commit(h, "g", "t", {{0, 2}}, {.member = "m1", .epoch = 3}) == "t:0=113");
  CHECK(commit(h, "g", "t", {{0, 2}}, {.member = "stranger", .epoch = 2}) == "t:0=25");
  CHECK(commit(h, "g", "t", {{0, 2}}) == "t:0=25");
  CHECK(commit(h, "g", "t", {{0, 2}}, {.member = "m1", .epoch = 2, .version = 8}) == "t:0=35");
  CHECK(h.records().empty());
  // An empty group takes commits from anybody.
  h.leave("m1");
  CHECK(commit(h, "g", "t", {{0, 3}}) == "t:0=0");
}

TEST_CASE("an older epoch commits what it owned then, and one foreign partition fails the whole request") {
  Harness h;
  h.topic("t", 2);
  h.topic("u", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.beat("m1", 2, {.topics = {{"t", "u"}}, .owned = Owned{{"t", {0, 1}}}});
  REQUIRE(h.member("m1").epoch.value() == 3);
  h.records();
  CHECK(commit(h, "g", "t", {{0, 5}, {1, 6}}, {.member = "m1", .epoch = 2}) == "t:0=0 t:1=0");
  CHECK(h.records().size() == 2);
  CHECK(commit(h, "g", "u", {{0, 5}}, {.member = "m1", .epoch = 2}) == "u:0=113");

  auto both = commit_request(h, "g", "t", {{0, 7}}, {.member = "m1", .epoch = 2});
  both.request.topics.push_back(commit_request(h, "g", "u", {{0, 7}}, {}).request.topics[0]);
  CHECK(answer(std::get<protocol::OffsetCommitResponse>(h.request(both))) == "t:0=113 u:0=113");
  CHECK(h.records().empty());
}

TEST_CASE("metadata is counted in UTF-16 units and refused per partition") {
  config::GroupConfig config = exact_config();
  config.offset_metadata_max_bytes = 4;
  Harness h(config);
  h.topic("t", 2);
  CHECK(commit(h, "g", "t", {{0, 1}}, {.metadata = "abcd"}) == "t:0=0");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.metadata = "abcde"}) == "t:0=12");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.metadata = "\u00e4\u00f6\u20ac\u00df"}) == "t:0=0");  // 4 units, 9 bytes
  CHECK(commit(h, "g", "t", {{0, 1}}, {.metadata = "\U0001f600\U0001f600"}) == "t:0=0");      // 4 units, 8 bytes
  CHECK(commit(h, "g", "t", {{0, 1}}, {.metadata = "\U0001f600\U0001f600a"}) == "t:0=12");
  h.records();

  auto mixed = commit_request(h, "g", "t", {{0, 8}, {1, 9}});
  mixed.request.topics[0].partitions[0].committed_metadata = protocol::Text("too long");
  CHECK(answer(std::get<protocol::OffsetCommitResponse>(h.request(mixed))) == "t:0=12 t:1=0");
  CHECK(h.records() == Lines{"offset g t:1 = 9"});
}

TEST_CASE("old clients bring their own retention time") {
  Harness h;
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 1}}, {.version = 4, .leader_epoch = 5, .retention_time_ms = 1000});
  const CommittedOffset* offset = h.state().offsets.find("g", "t", 0);
  REQUIRE(offset != nullptr);
  CHECK(offset->expire_timestamp_ms() == h.wall_ms() + 1000);
  // The record format that has an expiry has room for neither of these.
  CHECK(offset->leader_epoch == -1);
  CHECK(offset->topic_id == protocol::TopicId{});
  commit(h, "g", "t", {{0, 1}}, {.version = 4, .retention_time_ms = std::numeric_limits<std::int64_t>::max()});
  CHECK(h.state().offsets.find("g", "t", 0)->expire_timestamp_ms() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("a commit that crossed with the deletion of its topic is refused") {
  Harness h;
  h.topic("t", 1);
  const auto old_id = h.metadata().find("t")->id.value();
  h.drop_topic("t");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.version = 9, .topic_id = old_id}) == "t:0=3");
  CHECK(commit(h, "g", "t", {{0, 1}}, {.version = 10, .topic_id = old_id}) == "t:0=100");
  h.topic("t", 1);
  CHECK(commit(h, "g", "t", {{0, 1}}, {.topic_id = old_id}) == "t:0=3");
  CHECK(h.records().empty());
}

TEST_CASE("offsets survive a restart, also of a compacted log") {
  Harness h;
  h.topic("t", 3);
  h.join("m1", {.topics = {{"t"}}});
  commit(h, "g", "t", {{0, 1}, {1, 2}, {2, 3}}, {.member = "m1", .epoch = 2, .metadata = "m", .leader_epoch = 4});
  commit(h, "simple", "t", {{1, 9}}, {.version = 3, .retention_time_ms = 100'000});
  commit(h, "g", "t", {{1, 20}}, {.member = "m1", .epoch = 2});
  for (const bool compact : {false, true}) {
    h.restart(compact);
    CHECK(fetch_all(h, "g") == "t:0=1@4'm' t:1=20 t:2=3@4'm'");
    CHECK(fetch_all(h, "simple") == "t:1=9");
  }
}

TEST_CASE("a commit that no batch can hold is refused before its records are made") {
  Harness h;
  h.topic("t", 40'000);
  Offsets offsets;
  for (std::int32_t partition = 0; partition < 32'769; ++partition) offsets.emplace_back(partition, 1);
  CHECK(commit(h, "g", "t", offsets).starts_with("t:0=28 "));
  CHECK(h.records().empty());
}

TEST_CASE("replies rest on the last record of the group") {
  Harness h;
  h.topic("t", 1);
  commit(h, "g", "t", {{0, 1}});
  const std::int64_t record = h.last_offset();
  commit(h, "other", "t", {{0, 1}});
  commit(h, "g", "t", {{0, 1}}, {.member = "m", .epoch = 3});  // refused
  CHECK(h.last_after() == record);
  fetch_all(h, "g");
  CHECK(h.last_after() == record);
  delete_offsets(h, "g", "t", {0});
  const std::int64_t tombstone = h.last_offset();
  commit(h, "other", "t", {{0, 2}});
  fetch_all(h, "g");
  CHECK(h.last_after() == tombstone);
}

}  // namespace cohort::coordinator::testing
