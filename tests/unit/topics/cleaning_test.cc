// Compaction as a topic store runs it: of topics that ask for it, and of internal topics beside their shard's writes.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <map>

#include "protocol/batch/batch_builder.h"
#include "protocol/batch/record.h"
#include "server/storage/log_threads.h"
#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

TopicStoreOptions eager() {
  TopicStoreOptions options;
  options.cleaner.backoff = Duration{1};
  options.defaults.min_cleanable_dirty_ratio = 0;
  return options;
}

std::vector<std::byte> keyed(const std::string& key, const std::string& value, std::int64_t base_offset = 0) {
  protocol::BatchBuilder builder;
  builder.start({.base_offset = base_offset});
  builder.append(1000, std::as_bytes(std::span(key)), std::as_bytes(std::span(value)));
  const auto bytes = builder.finish();
  if (!bytes) std::abort();  // log threads come here, too, and assertions are the test thread's
  return {bytes->begin(), bytes->end()};
}

std::map<std::string, std::string> state_of(StoreHarness& store, const PartitionId& id, std::int64_t end,
                                            int* records = nullptr) {
  std::map<std::string, std::string> state;
  protocol::ByteBuffer scratch;
  std::int64_t next = 0;
  while (next < end) {
    const auto fetched = store.fetch(fetch_call({{id, next, 1 << 20, -1}})).at(0);
    REQUIRE(fetched.error == ErrorCode::kNone);
    REQUIRE(fetched.records.size() > 0);
    protocol::BatchReader reader(fetched.records.view());
    while (true) {
      const auto batch = reader.next();
      REQUIRE(batch);
      if (!*batch) break;
      next = (*batch)->last_offset() + 1;
      REQUIRE(protocol::for_each_record(**batch, 1 << 20, scratch, [&](const protocol::RecordView& record) {
        const auto text = [](const auto& bytes) {
          return std::string(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        };
        state[text(record.key)] = text(record.value).substr(0, 8);
        if (records != nullptr) ++*records;
      }));
    }
  }
  return state;
}

// Asks again and again until the log has been compacted up to this offset.
void wait_until_cleaned(StoreHarness& store, const storage::Log& log, std::int64_t offset) {
  ListOffsetsCall nothing;
  for (int i = 0; i < 1'000'000 && log.cleaned_offset() < offset; ++i) store.list(nothing);
  REQUIRE(log.cleaned_offset() >= offset);
}

TEST_CASE("a topic with cleanup.policy=compact is compacted while it is written to") {
  MemFs fs;
  StoreHarness store(fs, eager());
  store.start();
  const PartitionId id{store.create("a", 1, {{"segment.bytes", "1048576"}, {"cleanup.policy", "compact"}}).id, 0};
  std::map<std::string, std::string> written;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "k" + std::to_string(i % 4);
    const std::string value = std::to_string(10'000'000 + i) + std::string(100'000, 'x');
    REQUIRE(store.produce(id, keyed(key, value)).error == ErrorCode::kNone);
    written[key] = value.substr(0, 8);
  }
  const auto log = store.logs().find(protocol::TopicName("a"), 0);
  REQUIRE(log != nullptr);
  wait_until_cleaned(store, *log, 50);
  int records = 0;
  CHECK(state_of(store, id, 60, &records) == written);
  CHECK(records < 30);
  CHECK(log->size_bytes() < 3'000'000);
  CHECK(store.produce(id, keyed("k9", "1")).base_offset == 60);
}

// Writes as a shard does it: one write and sync at a time, by way of a log thread.
void write_as_shard(StoreHarness& store, const PartitionId& id, int records) {
  const auto log = store.store().internal_log(id);
  std::atomic<int> left{0};
  for (int i = 0; i < records; ++i) {
    ++left;
    REQUIRE(store.threads().submit(TopicStore::log_key(id), [&, i] {
      const std::string value = std::to_string(10'000'000 + i) + std::string(2000, 'x');
      const auto batch = keyed("k" + std::to_string(i % 5), value, log->end_offset());
      if (!log->append(batch) || !log->sync()) std::abort();
      store.pool()[1].post([&store, id, end = log->durable_offset()] { store.store().internal_durable(id, end); });
      --left;
    }));
    while (left > 3) std::this_thread::yield();
  }
  while (left > 0) std::this_thread::yield();
}

TEST_CASE("an internal topic is compacted between its shard's writes") {
  MemFs fs;
  TopicStoreOptions options = eager();
  options.offsets_segment_bytes = 1 << 20;
  StoreHarness store(fs, options);
  store.start();
  const PartitionId id{store.store().snapshot()->find(kConsumerOffsetsTopic)->id, 1};
  const auto log = store.store().internal_log(id);
  write_as_shard(store, id, 3000);
  wait_until_cleaned(store, *log, 2000);
  const auto state = state_of(store, id, 3000);
  CHECK(log->size_bytes() < 2'000'000);
  REQUIRE(state.size() == 5);
  for (int k = 0; k < 5; ++k) CHECK(state.at("k" + std::to_string(k)) == std::to_string(10'002'995 + k));
}

TEST_CASE(
    "an internal topic's last segment is closed for compaction when most of the log is new, however large "
    "segments are") {
  MemFs fs;
  TopicStoreOptions options = eager();
  options.defaults.min_cleanable_dirty_ratio = 0.5;
  REQUIRE(options.offsets_segment_bytes == 100 << 20);
  StoreHarness store(fs, options);
  store.start();
  const PartitionId id{store.store().snapshot()->find(kConsumerOffsetsTopic)->id, 1};
  const auto log = store.store().internal_log(id);
  write_as_shard(store, id, 1500);  // 3 MB: too little
  ListOffsetsCall nothing;
  for (int i = 0; i < 2000; ++i) store.list(nothing);
  CHECK(log->segments().size() == 1);
  write_as_shard(store, id, 1000);
  wait_until_cleaned(store, *log, 2000);
  CHECK(log->size_bytes() < 2'000'000);
  const auto state = state_of(store, id, 2500);
  REQUIRE(state.size() == 5);
  for (int k = 0; k < 5; ++k) CHECK(state.at("k" + std::to_string(k)) == std::to_string(10'000'995 + k));
}

TEST_CASE("a topic is deleted, and a store ends, while rounds of compaction are under way") {
  for (int run = 0; run < 20; ++run) {
    MemFs fs;
    StoreHarness store(fs, eager());
    store.start();
    const auto topic = store.create("a", 2, {{"segment.bytes", "1048576"}, {"cleanup.policy", "compact"}}).id;
    for (int i = 0; i < 16; ++i) {
      REQUIRE(store.produce({topic, i % 2}, keyed("k", std::string(300'000, 'x'))).error == ErrorCode::kNone);
    }
    if (run % 2 == 0) CHECK(store.remove("a").error == ErrorCode::kNone);
  }
}

TEST_CASE("a topic is deleted without waiting for a round that waits for another topic's") {
  MemFs fs;
  TopicStoreOptions options = eager();
  REQUIRE(options.cleaner.threads == 1);
  StoreHarness store(fs, options);
  store.start();
  const auto create = [&](const char* name, const char* policy) {
    const PartitionId id{
        store.create(name, 1, {{"segment.bytes", "1048576"}, {"cleanup.policy", policy}, {"retention.ms", "-1"}}).id,
        0};
    return id;
  };
  const auto fill = [&](const PartitionId& id) {
    for (int i = 0; i < 8; ++i) {
      REQUIRE(store.produce(id, keyed("k", std::string(300'000, 'x'))).error == ErrorCode::kNone);
    }
  };
  const PartitionId a = create("a", "delete");
  fill(a);
  // Where a's log is written everything stands still, so its round comes as far as its first file.
  std::promise<void> go;
  store.hold(a, go);
  REQUIRE(store.set_config("a", "cleanup.policy", "compact") == ErrorCode::kNone);
  const auto has_begun = [&] {
    return std::ranges::any_of(*fs.list("/data/a-0"), [](const auto& file) { return file.name.ends_with(".log.tmp"); });
  };
  ListOffsetsCall nothing;
  for (int i = 0; i < 1'000'000 && !has_begun(); ++i) store.list(nothing);
  REQUIRE(has_begun());

  fill(create("b", "compact"));
  for (int i = 0; i < 1'000; ++i) store.list(nothing);
  CHECK(store.remove("b").error == ErrorCode::kNone);
  go.set_value();
  wait_until_cleaned(store, *store.logs().find(protocol::TopicName("a"), 0), 3);
}

}  // namespace
}  // namespace cohort::topics
