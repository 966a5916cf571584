#include "server/coordinator/offsets/offsets_state.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

CommittedOffset at(std::int32_t partition, std::int64_t offset) {
  CommittedOffset result;
  result.partition = partition;
  result.offset = offset;
  return result;
}

std::vector<std::int32_t> partitions(const TopicOffsets& offsets) {
  std::vector<std::int32_t> result;
  offsets.for_each([&](const CommittedOffset& one) { result.push_back(one.partition); });
  return result;
}

}  // namespace

TEST_CASE("offsets of a topic are kept by partition, whatever the order they come in") {
  TopicOffsets offsets;
  CHECK(offsets.empty());
  for (const std::int32_t partition : {200, 0, 63, 64, 5, 199}) CHECK(offsets.put(at(partition, partition)));
  CHECK(partitions(offsets) == std::vector<std::int32_t>{0, 5, 63, 64, 199, 200});
  CHECK_FALSE(offsets.put(at(5, 77)));
  CHECK(offsets.find(5)->offset == 77);
  CHECK(offsets.find(6) == nullptr);
  CHECK(offsets.find(1000) == nullptr);
}

TEST_CASE("removing the last partition leaves nothing") {
  TopicOffsets offsets;
  offsets.put(at(1, 1));
  offsets.put(at(100, 1));
  CHECK_FALSE(offsets.remove(2));
  CHECK_FALSE(offsets.remove(300));
  CHECK(offsets.remove(1));
  CHECK_FALSE(offsets.empty());
  CHECK(offsets.remove(100));
  CHECK(offsets.empty());
}

TEST_CASE("a walk over offsets stops when told to") {
  TopicOffsets offsets;
  for (std::int32_t partition = 0; partition < 200; ++partition) offsets.put(at(partition, 0));
  int seen = 0;
  CHECK_FALSE(offsets.visit_while([&](const CommittedOffset&) { return ++seen < 70; }));
  CHECK(seen == 70);
  CHECK(offsets.visit_while([](const CommittedOffset&) { return true; }));
}

TEST_CASE("offsets of a topic behave like a map") {
  std::mt19937_64 random(1);
  TopicOffsets offsets;
  std::map<std::int32_t, std::int64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto partition = static_cast<std::int32_t>(random() % 500);
    if (random() % 3 == 0) {
      REQUIRE(offsets.remove(partition) == (model.erase(partition) == 1));
    } else {
      REQUIRE(offsets.put(at(partition, step)) == model.insert_or_assign(partition, step).second);
    }
  }
  std::map<std::int32_t, std::int64_t> seen;
  offsets.for_each([&](const CommittedOffset& one) { seen[one.partition] = one.offset; });
  CHECK(seen == model);
}

TEST_CASE("an offset is small") {
  CHECK(sizeof(CommittedOffset) <= 56);
}

TEST_CASE("legacy records are applied like others") {
  OffsetsState state;
  protocol::LegacyOffsetCommitRecord record;
  record.key = {.group = "g", .topic = "t", .partition = 3};
  record.value = protocol::LegacyOffsetCommitValue{.offset = 42, .metadata = "note", .commit_timestamp = 1000};
  apply_offset_commit(state, record, 7);
  const CommittedOffset* offset = state.find("g", "t", 3);
  REQUIRE(offset != nullptr);
  CHECK(offset->offset == 42);
  CHECK(offset->leader_epoch == -1);
  CHECK(offset->metadata() == "note");
  CHECK(offset->commit_timestamp_ms == 1000);
  CHECK(offset->expire_timestamp_ms() == kNoExpireTimestamp);
  CHECK(offset->topic_id == protocol::TopicId{});
  CHECK(offset->record_offset == 7);
  CHECK(state.count == 1);

  record.value.reset();
  apply_offset_commit(state, record, 8);
  CHECK(state.find("g") == nullptr);
  CHECK(state.count == 0);
  CHECK(state.last_deletion == 8);
}

TEST_CASE("tombstones of offsets that are not there are normal") {
  OffsetsState state;
  const protocol::OffsetCommitRecord tombstone{.key = {.group = "g", .topic = "t", .partition = 0}, .value = {}};
  apply_offset_commit(state, tombstone, 1);
  CHECK(state.groups.empty());
  CHECK(state.count == 0);
}

}  // namespace cohort::coordinator
