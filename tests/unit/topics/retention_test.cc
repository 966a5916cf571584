// Retention by size and by time, and when segments are closed by age.
#include <catch2/catch.hpp>
#include <chrono>
#include <future>

#include "protocol/batch/batch_builder.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

TEST_CASE("retention by size takes whole segments, and fetch and list offsets follow") {
  MemFs fs;
  TopicStoreOptions options;
  options.defaults.retention_check_interval = Duration{1};
  StoreHarness store(fs, options);
  store.start();
  const auto id =
      store.create("a", 1, {{"segment.bytes", "1048576"}, {"retention.bytes", "1000000"}, {"retention.ms", "-1"}}).id;
  for (int i = 0; i < 4; ++i) {
    CHECK(store.produce({id, 0}, make_batch(1, {}, 1000, 300'000)).error == ErrorCode::kNone);
  }
  // Two batches of 600 KB do not fit into one segment: the last two segments alone are above the size.
  ListOffsetsCall call;
  call.partitions = {{{id, 0}, kEarliestTimestamp, -1}};
  std::int64_t earliest = 0;
  for (int i = 0; i < 1'000'000 && earliest < 2; ++i) earliest = store.list(call).at(0).offset;
  CHECK(earliest == 2);
  CHECK(store.fetch(fetch_call({{{id, 0}, 1, 1 << 20, -1}})).at(0).error == ErrorCode::kOffsetOutOfRange);
  CHECK(store.fetch(fetch_call({{{id, 0}, 2, 1 << 20, -1}})).at(0).log_start_offset == 2);
}

TEST_CASE("retention by time takes all segments that are old enough, the last one too; offsets go on") {
  MemFs fs;
  TopicStoreOptions options;
  options.defaults.retention_check_interval = Duration{1};
  StoreHarness store(fs, options);
  store.start();
  const std::int64_t now_ms = reactor::read_clocks().wall_ms;
  const auto id = store.create("a", 2, {{"segment.bytes", "1048576"}, {"retention.ms", "3600000"}}).id;
  const auto produce = [&](std::int32_t partition, std::int64_t age_ms) {
    CHECK(store.produce({id, partition}, make_batch(1, {}, now_ms - age_ms, 300'000)).error == ErrorCode::kNone);
  };
  ListOffsetsCall call;
  call.partitions = {{{id, 0}, kEarliestTimestamp, -1}, {{id, 1}, kEarliestTimestamp, -1}};
  // Partition 0: an old segment before one whose newest record is young. Partition 1: nothing is young.
  produce(0, 7'200'000);
  produce(0, 7'200'000);
  produce(0, 60'000);
  for (int i = 0; i < 3; ++i) produce(1, 7'200'000);
  std::vector<ListedOffset> listed;
  for (int i = 0; i < 1'000'000; ++i) {
    listed = store.list(call);
    if (listed.at(0).offset >= 2 && listed.at(1).offset >= 3) break;
  }
  CHECK(listed.at(0).offset == 2);
  CHECK(listed.at(1).offset == 3);
  produce(1, 0);
  CHECK(store.fetch(fetch_call({{{id, 1}, 3, 1 << 20, -1}})).at(0).high_watermark == 4);
}

TEST_CASE("retention has its turn between two jobs of a partition that always has one") {
  MemFs fs;
  TopicStoreOptions options;
  options.defaults.retention_check_interval = Duration{1};
  StoreHarness store(fs, options);
  store.start();
  const PartitionId id{store.create("a", 1, {{"segment.bytes", "1048576"}, {"cohort.durability", "sync"}}).id, 0};
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  const std::int64_t now_ms = reactor::read_clocks().wall_ms;
  const auto begin_produce = [&](std::int64_t timestamp_ms) {
    return store.begin_produce(produce_call(id, make_batch(1, {}, timestamp_ms, 300'000)));
  };
  // The log's thread is held up before the first job, and behind it before whatever is next.
  std::promise<void> first_go;
  std::promise<void> second_go;
  store.hold(id, first_go);
  auto first = begin_produce(1000);
  ListOffsetsCall call;
  call.partitions = {{id, kLatestTimestamp, -1}};
  for (int i = 0; i < 2'000; ++i) store.list(call);  // the first is under way, and retention has come due
  store.hold(id, second_go);
  auto second = begin_produce(now_ms);
  for (int i = 0; i < 100; ++i) store.list(call);
  first_go.set_value();
  const auto first_answer = StoreHarness::get(std::move(first)).at(0);
  CHECK(first_answer.error == ErrorCode::kNone);
  second_go.set_value();
  const auto second_answer = StoreHarness::get(std::move(second)).at(0);
  CHECK(second_answer.error == ErrorCode::kNone);
  CHECK(log->start_offset() == 1);
}

TEST_CASE("batches that come together make no segment above segment.bytes") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const PartitionId id{store.create("a", 1, {{"segment.bytes", "1048576"}, {"cohort.durability", "sync"}}).id, 0};
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  // The log's thread is held up, so that all but the first wait and are written in as few jobs as may be.
  std::promise<void> go;
  store.hold(id, go);
  std::vector<std::future<std::vector<ProducedPartition>>> answers;
  for (int i = 0; i < 20; ++i) {
    answers.push_back(store.begin_produce(produce_call(id, make_batch(3, {}, 1000, 50'000))));
  }
  ListOffsetsCall nothing;
  for (int i = 0; i < 10; ++i) store.list(nothing);  // all of them have been decided
  go.set_value();
  std::int64_t offset = 0;
  for (auto& answer : answers) {
    const auto produced = StoreHarness::get(std::move(answer)).at(0);
    CHECK(produced.error == ErrorCode::kNone);
    CHECK(produced.base_offset == std::exchange(offset, offset + 3));
  }
  const auto segments = log->segments();
  CHECK(segments.size() == 8);  // the first batch of 300 KB had gone ahead; of the others three fit into each
  for (const auto& segment : segments) CHECK(segment.size_bytes <= 1'048'576);
  CHECK(log->end_offset() == 60);
}

TEST_CASE("a segment is closed when a record comes that is segment.ms younger than its first one") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const PartitionId id{store.create("a", 1, {{"segment.ms", "10000"}}).id, 0};
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  const auto segments_after = [&](std::int64_t timestamp_ms) {
    CHECK(store.produce(id, make_batch(1, {}, timestamp_ms)).error == ErrorCode::kNone);
    return log->segments().size();
  };
  CHECK(segments_after(100'000) == 1);
  CHECK(segments_after(90'000) == 1);
  CHECK(segments_after(110'000) == 1);
  CHECK(segments_after(110'001) == 2);
  CHECK(log->segments().back().base_offset == 3);
  CHECK(segments_after(120'001) == 2);
  CHECK(segments_after(200'000) == 3);
}

TEST_CASE("a segment that gets nothing more is closed after segment.ms, so that it can be compacted") {
  MemFs fs;
  TopicStoreOptions options;
  options.defaults.retention_check_interval = Duration{1};
  StoreHarness store(fs, options);
  store.start();
  const PartitionId id{store.create("a", 1, {{"segment.ms", "10000"}, {"cleanup.policy", "compact"}}).id, 0};
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  CHECK(store.produce(id, make_batch(1, {}, 1000)).error == ErrorCode::kNone);
  ListOffsetsCall nothing;
  for (int i = 0; i < 1'000'000 && log->segments().size() < 2; ++i) store.list(nothing);
  CHECK(log->segments().size() == 2);
  for (int i = 0; i < 2'000; ++i) store.list(nothing);
  CHECK(log->segments().size() == 2);  // and an empty one never
}

TEST_CASE("old records that are appended now end no segment, and rounds for flush.ms only sync") {
  MemFs fs;
  TopicStoreOptions options;
  options.defaults.retention_check_interval = GENERATE(Duration{1}, std::chrono::hours{1});
  StoreHarness store(fs, options);
  store.start();
  const PartitionId id{store.create("a", 1, {{"segment.ms", "10000"}, {"retention.ms", "-1"}, {"flush.ms", "1"}}).id,
                       0};
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  ListOffsetsCall nothing;
  for (int round = 1; round <= 3; ++round) {
    CHECK(store.produce(id, make_batch(1, {}, 1000)).error == ErrorCode::kNone);
    for (int i = 0; i < 1'000'000 && log->durable_offset() < round; ++i) store.list(nothing);
    CHECK(log->durable_offset() == round);
  }
  CHECK(log->segments().size() == 1);
}

}  // namespace
}  // namespace cohort::topics
