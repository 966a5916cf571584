// Deleting records by request, and what must outlive the deletion.
#include <cerrno>

#include "protocol/base/log.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;

struct Deleting {
  storage::MemFs fs;
  StoreHarness h;
  PartitionId id;

  explicit Deleting(std::map<std::string, std::optional<std::string>> configs = {}, TopicStoreOptions options = {})
      : h(fs, std::move(options)) {
    h.start();
    CreateTopic request;
    request.name = "t";
    request.partitions = 1;
    for (auto& [name, value] : configs) request.configs.emplace_back(name, value);
    id = {h.create(request).id, 0};
  }
  std::future<std::vector<DeletedRecords>> begin(std::int64_t offset, std::size_t reactor = 0) {
    return h.begin<std::vector<DeletedRecords>>(reactor, [this, offset](auto done) {
      h.store().delete_records({{.id = id, .offset = offset}}, std::move(done));
    });
  }
  DeletedRecords remove(std::int64_t offset, std::size_t reactor = 0) {
    return StoreHarness::get(begin(offset, reactor)).at(0);
  }
  ErrorCode produce(int records, Producer producer = {}) { return h.produce(id, make_batch(records, producer)).error; }
  FetchedPartition fetch(std::int64_t offset) {
    return h.fetch(fetch_call({{.id = id, .fetch_offset = offset, .max_bytes = 1 << 20}})).at(0);
  }
  std::int64_t earliest() {
    ListOffsetsCall call;
    call.partitions = {{.id = id, .timestamp = kEarliestTimestamp}};
    return h.list(std::move(call)).at(0).offset;
  }
  std::vector<ActiveProducer> producers() {
    auto answer = StoreHarness::get(h.begin<std::vector<ActiveProducers>>(
        1, [this](auto done) { h.store().active_producers({{.id = id}}, std::move(done)); }));
    REQUIRE(answer.at(0).error == ErrorCode::kNone);
    return answer[0].producers;
  }
  void restart() {
    h.kill();
    fs.kill();
    h.start();
  }
};

TEST_CASE("deleted records are gone for readers, and after a power failure") {
  const char* durability = GENERATE("os", "sync");
  Deleting t({{"cohort.durability", durability}});
  for (int i = 0; i < 5; ++i) REQUIRE(t.produce(2) == ErrorCode::kNone);  // 0..9
  for (const std::size_t reactor : {0U, 1U}) {
    const auto deleted = t.remove(5, reactor);
    CHECK(deleted.error == ErrorCode::kNone);
    CHECK(deleted.low_watermark == 5);
  }
  CHECK(t.remove(3).low_watermark == 5);  // nothing to do
  CHECK(t.fetch(4).error == ErrorCode::kOffsetOutOfRange);
  CHECK(t.fetch(5).log_start_offset == 5);
  CHECK_FALSE(t.fetch(5).records.empty());
  CHECK(t.earliest() == 5);
  t.h.kill();
  std::mt19937_64 random(4);
  t.fs.crash(random);
  t.h.start();
  CHECK(t.earliest() == 5);
  CHECK(t.fetch(4).error == ErrorCode::kOffsetOutOfRange);
  CHECK(t.fetch(10).error == ErrorCode::kNone);  // all of it was synced on the way
}

TEST_CASE("-1 deletes up to the high watermark, nothing goes beyond it") {
  Deleting t;
  CHECK(t.remove(kDeleteToHighWatermark).low_watermark == 0);
  REQUIRE(t.produce(3) == ErrorCode::kNone);
  for (const std::int64_t offset : {std::int64_t{4}, std::int64_t{-2}, std::int64_t{1} << 62}) {
    const auto refused = t.remove(offset);
    CHECK(refused.error == ErrorCode::kOffsetOutOfRange);
    CHECK(refused.low_watermark == -1);
  }
  CHECK(t.earliest() == 0);
  CHECK(t.remove(kDeleteToHighWatermark).low_watermark == 3);
  CHECK(t.fetch(3).records.empty());
  REQUIRE(t.produce(1) == ErrorCode::kNone);
  CHECK(t.fetch(3).high_watermark == 4);
}

TEST_CASE("what may not be deleted from") {
  Deleting compacted({{"cleanup.policy", "compact"}});
  CHECK(compacted.remove(0).error == ErrorCode::kPolicyViolation);
  Deleting both({{"cleanup.policy", "compact,delete"}});
  CHECK(both.remove(0).error == ErrorCode::kNone);
  both.id = {both.h.store().snapshot()->find("__consumer_offsets")->id, 0};
  CHECK(both.remove(0).error == ErrorCode::kInvalidTopicException);
  both.id.topic = protocol::TopicId(protocol::Uuid(9, 9));
  CHECK(both.remove(0).error == ErrorCode::kUnknownTopicOrPartition);
}

TEST_CASE("who waits for records that are deleted hears of it at once") {
  Deleting t;
  REQUIRE(t.produce(3) == ErrorCode::kNone);
  const std::size_t reactor = t.h.store().reactor_of(t.id);
  const auto wait_at = [&](std::int64_t offset) {
    FetchCall call = fetch_call({{.id = t.id, .fetch_offset = offset, .max_bytes = 1 << 20}});
    call.max_wait_ms = 3'600'000;
    call.min_bytes = 1 << 19;
    return t.h.begin_fetch(std::move(call), reactor);
  };
  auto below = wait_at(1);
  auto above = wait_at(2);
  // What is posted to the same reactor comes behind them.
  CHECK(t.remove(2, reactor).error == ErrorCode::kNone);
  const auto below_answer = StoreHarness::get(std::move(below)).at(0);
  CHECK(below_answer.error == ErrorCode::kOffsetOutOfRange);
  CHECK(above.wait_for(std::chrono::seconds{0}) == std::future_status::timeout);
  CHECK(t.remove(3, reactor).error == ErrorCode::kNone);
  const auto above_answer = StoreHarness::get(std::move(above)).at(0);
  CHECK(above_answer.error == ErrorCode::kOffsetOutOfRange);
}

TEST_CASE("producers are known after their records were deleted and the server was killed") {
  Deleting t;
  REQUIRE(t.produce(2, {7, 1, 0}) == ErrorCode::kNone);
  REQUIRE(t.produce(2, {8, 0, 0}) == ErrorCode::kNone);
  CHECK(t.remove(kDeleteToHighWatermark).low_watermark == 4);
  REQUIRE(t.produce(1, {8, 0, 2}) == ErrorCode::kNone);
  t.restart();
  const auto active = t.producers();
  REQUIRE(active.size() == 2);
  CHECK(active[0].id == 7);
  CHECK(active[0].epoch == 1);
  CHECK(active[0].last_sequence == 1);
  CHECK(active[0].last_timestamp_ms == 1001);
  CHECK(active[1].last_sequence == 2);
  CHECK(t.produce(2, {7, 1, 0}) == ErrorCode::kNone);  // the repeat
  CHECK(t.fetch(4).high_watermark == 5);               // added nothing
  CHECK(t.produce(1, {7, 1, 5}) == ErrorCode::kOutOfOrderSequenceNumber);
  CHECK(t.produce(1, {7, 1, 2}) == ErrorCode::kNone);
}

TEST_CASE("a deletion waits for what was decided before it, and its snapshot is of that") {
  Deleting t({{"cohort.durability", "sync"}, {"max.message.bytes", "20000000"}});
  REQUIRE(t.produce(3, {7, 1, 0}) == ErrorCode::kNone);
  // In one turn of the partition's reactor: three groups of batches, so two wait while the first is written.
  const std::size_t reactor = t.h.store().reactor_of(t.id);
  auto deleted = t.h.begin<std::vector<DeletedRecords>>(reactor, [&](auto done) {
    for (std::int32_t sequence = 0; sequence < 3; ++sequence) {
      ProduceCall call{.acks = -1, .version = 9, .partitions = {}};
      call.partitions.push_back({t.id, as_bytes(make_batch(1, {8, 0, sequence}, 1000, 4'500'000))});
      t.h.store().produce(std::move(call), [](auto) {});
    }
    t.h.store().delete_records({{.id = t.id, .offset = 3}}, std::move(done));
    t.h.store().delete_records({{.id = t.id, .offset = 2}}, [](auto) {});
  });
  const auto deleted_answer = StoreHarness::get(std::move(deleted)).at(0);
  CHECK(deleted_answer.low_watermark == 3);
  CHECK(t.h.logs().find(protocol::TopicName("t"), 0)->end_offset() == 6);
  CHECK(t.fs.contents("/data/t-0/00000000000000000006.producers").size() > 0);
  CHECK(t.remove(kDeleteToHighWatermark).low_watermark == 6);
  t.restart();
  REQUIRE(t.producers().size() == 2);
  CHECK(t.producers()[0].last_sequence == 2);
  CHECK(t.producers()[1].last_sequence == 2);
}

TEST_CASE("producers are known after retention took their records") {
  TopicStoreOptions options;
  options.defaults.retention_check_interval = Duration{1};
  Deleting t({{"segment.bytes", "1048576"}, {"retention.bytes", "1"}, {"retention.ms", "-1"}}, options);
  REQUIRE(t.produce(2, {7, 1, 0}) == ErrorCode::kNone);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(t.h.produce(t.id, make_batch(1, {}, 1000, 400'000)).error == ErrorCode::kNone);
  }
  for (int i = 0; i < 1'000'000 && t.earliest() < 2; ++i) {
  }
  REQUIRE(t.earliest() >= 2);
  t.restart();
  REQUIRE(t.producers().size() == 1);
  CHECK(t.producers()[0].last_sequence == 1);
}

TEST_CASE("epochs are known after their records were deleted") {
  Deleting t;
  REQUIRE(t.produce(2) == ErrorCode::kNone);
  t.restart();
  REQUIRE(t.produce(2) == ErrorCode::kNone);
  CHECK(t.remove(1).error == ErrorCode::kNone);
  t.restart();
  CHECK(t.remove(3).error == ErrorCode::kNone);
  t.restart();
  const auto log = t.h.logs().find(protocol::TopicName("t"), 0);
  CHECK(log->end_of_epoch(0, 3) == storage::EpochEnd{0, 3});
  CHECK(log->end_of_epoch(1, 3) == storage::EpochEnd{1, 4});
  CHECK(log->epoch_at(3, 3) == 1);
}

TEST_CASE("a deletion that the disk refuses is no success, and no failure of those who write") {
  log::set_level(log::Level::kOff);
  Deleting t;
  REQUIRE(t.produce(3, {7, 1, 0}) == ErrorCode::kNone);
  t.fs.fail(storage::MemFs::Op::kRename, 1, EIO);  // of the snapshot of producers, or the checkpoint
  CHECK(t.remove(2).error == ErrorCode::kKafkaStorageError);
  CHECK(t.earliest() == 0);
  CHECK(t.produce(1, {7, 1, 3}) == ErrorCode::kNone);
  CHECK(t.remove(2).low_watermark == 2);
  log::set_level(log::Level::kWarn);
}

TEST_CASE("deletions and the topic's own end") {
  Deleting t({{"cohort.durability", "sync"}});
  REQUIRE(t.produce(3) == ErrorCode::kNone);
  // Whatever comes first: each is answered.
  auto deleted = t.begin(2);
  CHECK(t.h.remove("t").error == ErrorCode::kNone);
  const auto answer = StoreHarness::get(std::move(deleted)).at(0);
  CHECK((answer.error == ErrorCode::kNone || answer.error == ErrorCode::kUnknownTopicOrPartition));
  CHECK(t.remove(2).error == ErrorCode::kUnknownTopicOrPartition);
}

}  // namespace
}  // namespace cohort::topics
