// Partitions whose log could not be made: they are opened when somebody asks, and deleted like others.
#include <catch2/catch.hpp>
#include <cerrno>

#include "server/topics/topic_store.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

TEST_CASE("a topic that is created on a full disk works once there is room") {
  MemFs fs;
  StoreHarness store(fs);
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

}  // namespace
}  // namespace cohort::topics
