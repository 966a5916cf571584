// Partitions whose log could not be made: they are opened when somebody asks, and deleted like others.
#include <catch2/catch.hpp>
#include <cerrno>
#include <chrono>
#include <future>

#include "server/storage/log_threads.h"
#include "server/topics/topic_store.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

TEST_CASE("a topic that is created on a full disk works once there is room") {
  MemFs fs;
  TopicStoreOptions options;
  options.retry_after = Duration{0};
  StoreHarness store(fs, options);
  store.start();
  fs.fail(MemFs::Op::kOpen, 1, ENOSPC, true);
  const auto id = store.create("a", 1).id;
  CHECK(store.produce({id, 0}, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  CHECK(store.fetch(fetch_call({{{id, 0}, 0, 1 << 20, -1}})).at(0).error == ErrorCode::kKafkaStorageError);
  fs.clear_faults();
  // Who asks has it opened again, as a job.
  ProducedPartition answer;
  for (int i = 0; i < 10'000; ++i) {
    answer = store.produce({id, 0}, make_batch(1));
    if (answer.error != ErrorCode::kKafkaStorageError) break;
  }
  CHECK(answer.error == ErrorCode::kNone);
  CHECK(answer.base_offset == 0);
  CHECK(store.remove("a").error == ErrorCode::kNone);
  CHECK(store.logs().find(protocol::TopicName("a"), 0) == nullptr);
}

TEST_CASE("an offline partition is not tried with every request") {
  MemFs fs;
  TopicStoreOptions options;
  options.retry_after = std::chrono::hours{1};
  StoreHarness store(fs, options);
  store.start();
  fs.fail(MemFs::Op::kOpen, 1, ENOSPC, true);
  const PartitionId id{store.create("a", 1).id, 0};
  CHECK(store.produce(id, make_batch(1)).error == ErrorCode::kKafkaStorageError);  // tried once
  // Behind that try, on the same thread and then on the partition's reactor.
  std::promise<void> tried;
  REQUIRE(store.threads().submit(TopicStore::log_key(id), [&tried] { tried.set_value(); }));
  tried.get_future().wait();
  fs.clear_faults();
  const std::uint64_t before = fs.operations();
  for (int i = 0; i < 100; ++i) CHECK(store.produce(id, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  CHECK(fs.operations() == before);
}

TEST_CASE("a topic that is deleted while it cannot be opened leaves nothing behind") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  fs.fail(MemFs::Op::kOpen, 1, ENOSPC, true);
  const auto id = store.create("a", 1).id;
  fs.clear_faults();
  CHECK(store.produce({id, 0}, make_batch(1)).error == ErrorCode::kKafkaStorageError);  // begins to open it
  CHECK(store.remove("a").error == ErrorCode::kNone);
  CHECK(store.logs().find(protocol::TopicName("a"), 0) == nullptr);
  CHECK(store.produce({id, 0}, make_batch(1)).error == ErrorCode::kUnknownTopicOrPartition);
}

TEST_CASE("a server starts on a full disk though a topic was created there, and the topic works once there is room") {
  MemFs fs;
  TopicStoreOptions options;
  options.retry_after = Duration{0};
  StoreHarness store(fs, options);
  store.start();
  const PartitionId before{store.create("before", 1).id, 0};
  REQUIRE(store.produce(before, make_batch(3)).error == ErrorCode::kNone);
  fs.fail(MemFs::Op::kOpen, 1, ENOSPC, true);
  const PartitionId unmade{store.create("unmade", 1).id, 0};
  store.kill();
  fs.clear_faults();
  fs.kill();
  fs.set_free_bytes(0);
  store.start();
  CHECK(store.fetch(fetch_call({{before, 0, 1 << 20, -1}})).at(0).high_watermark == 3);
  CHECK(store.produce(unmade, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  // Once more: nothing may have been noted as made.
  store.kill();
  fs.kill();
  store.start();
  fs.set_free_bytes(std::nullopt);
  ErrorCode error = ErrorCode::kKafkaStorageError;
  for (int i = 0; i < 10'000 && error == ErrorCode::kKafkaStorageError; ++i) {
    error = store.produce(unmade, make_batch(1)).error;
  }
  CHECK(error == ErrorCode::kNone);
  CHECK(store.produce(before, make_batch(1)).base_offset == 3);
}

TEST_CASE("a config that comes while a partition is being opened is not lost") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  fs.fail(MemFs::Op::kOpen, 1, ENOSPC, true);
  const PartitionId id{store.create("a", 1).id, 0};
  fs.clear_faults();
  // The thread that opens it is held up; what it opens it with was looked up before.
  std::promise<void> go;
  store.hold(id, go);
  CHECK(store.produce(id, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  REQUIRE(store.set_config("a", "max.message.bytes", "10") == ErrorCode::kNone);
  go.set_value();
  ErrorCode error = ErrorCode::kKafkaStorageError;
  for (int i = 0; i < 10'000 && error == ErrorCode::kKafkaStorageError; ++i) {
    error = store.produce(id, make_batch(1)).error;
  }
  CHECK(error == ErrorCode::kMessageTooLarge);
}

TEST_CASE("a durability that is set while a partition is loaded again reaches its log") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  const PartitionId id{store.create("a", 1, {{"cohort.durability", "sync"}}).id, 0};
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  // The write that fails is held up; the change comes before it, the reload takes place behind it.
  std::promise<void> go;
  store.hold(id, go);
  auto produced = store.begin_produce(produce_call(id, make_batch(1)));
  REQUIRE(store.set_config("a", "cohort.durability", "os") == ErrorCode::kNone);
  fs.fail(MemFs::Op::kWrite, 1, EIO);
  go.set_value();
  const auto refused = StoreHarness::get(std::move(produced)).at(0);
  CHECK(refused.error == ErrorCode::kKafkaStorageError);
  ProducedPartition answer;
  for (int i = 0; i < 10'000; ++i) {
    answer = store.produce(id, make_batch(1));
    if (answer.error == ErrorCode::kNone) break;
  }
  REQUIRE(answer.error == ErrorCode::kNone);
  // The next one is not synced, and promised all the same: no failed sync may cut it off.
  REQUIRE(store.produce(id, make_batch(1)).error == ErrorCode::kNone);
  CHECK(log->promised_offset() == 2);
  CHECK(log->durable_offset() < 2);
}

TEST_CASE("a partition whose disk was full is not tried with every request: each try reads its log again") {
  MemFs fs;
  TopicStoreOptions options;
  options.retry_after = std::chrono::hours{1};
  StoreHarness store(fs, options);
  store.start();
  const PartitionId id{store.create("a", 1).id, 0};
  REQUIRE(store.produce(id, make_batch(1)).error == ErrorCode::kNone);
  fs.set_free_bytes(0);
  CHECK(store.produce(id, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  fs.set_free_bytes(std::nullopt);
  const std::uint64_t before = fs.operations();
  for (int i = 0; i < 100; ++i) {
    CHECK(store.produce(id, make_batch(1)).error == ErrorCode::kKafkaStorageError);
  }
  CHECK(fs.operations() == before);
  CHECK(store.fetch(fetch_call({{id, 0, 1 << 20, -1}})).at(0).high_watermark == 1);
}

}  // namespace
}  // namespace cohort::topics
