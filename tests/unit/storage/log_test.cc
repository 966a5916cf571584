#include "server/storage/log.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <limits>
#include <thread>

#include "protocol/batch/batch_builder.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage {
namespace {

using test::LogHarness;
using test::make_batch;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

TEST_CASE("A new log is empty and begins at offset 0", "[log]") {
  LogHarness h;
  CHECK(h.log->start_offset() == 0);
  CHECK(h.log->end_offset() == 0);
  CHECK(h.log->durable_offset() == 0);
  CHECK(h.log->size_bytes() == 0);
  const auto read = h.log->read(0, 1000, kNoLimit, true);
  REQUIRE(read);
  CHECK(read->batches.empty());
  CHECK(read->next_offset == 0);
}

TEST_CASE("Appended batches are read back; durable follows with sync", "[log]") {
  LogHarness h;
  REQUIRE(h.append(3));
  CHECK(h.log->end_offset() == 3);
  CHECK(h.log->durable_offset() == 0);
  REQUIRE(h.log->sync());
  CHECK(h.log->durable_offset() == 3);
  h.check_equals_model();
}

TEST_CASE("Several batches go in with one append", "[log]") {
  LogHarness h;
  auto both = make_batch(0, 2);
  const auto second = make_batch(2, 5);
  both.insert(both.end(), second.begin(), second.end());
  REQUIRE(h.log->append(both));
  CHECK(h.log->end_offset() == 7);
  CHECK(h.log->read(4, 10000, kNoLimit, true)->first_offset == 2);
}

TEST_CASE("What does not continue the log is refused and nothing is written", "[log]") {
  LogHarness h;
  REQUIRE(h.append(2));
  CHECK(h.log->append(make_batch(0)).error().kind == ErrorKind::kMalformed);
  CHECK(h.log->append(make_batch(3)).error().kind == ErrorKind::kMalformed);
  CHECK(h.log->append({}).error().kind == ErrorKind::kMalformed);
  auto gap = make_batch(2);
  const auto next = make_batch(4);
  gap.insert(gap.end(), next.begin(), next.end());
  CHECK(h.log->append(gap).error().kind == ErrorKind::kMalformed);
  const auto torn = make_batch(2);
  CHECK(h.log->append(std::span(torn).first(torn.size() - 1)).error().kind == ErrorKind::kMalformed);
  CHECK(h.log->append(make_batch(2, 1, 9000)).error().kind == ErrorKind::kTooLarge);  // max_unsynced_bytes is 8192
  h.check_equals_model();
}

TEST_CASE("The log rolls by size; segment names are 20 digits", "[log]") {
  LogHarness h;
  h.fill(40);
  const auto segments = h.log->segments();
  REQUIRE(segments.size() > 3);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    CHECK(segments[i].size_bytes <= h.options.segment_bytes);
    if (i > 0) CHECK(segments[i].base_offset == segments[i - 1].end_offset);
    CHECK(h.fs.contents(h.path(segments[i].base_offset)).size() == segments[i].size_bytes);  // no tail
  }
  CHECK(h.path(12) == "/d/00000000000000000012.log");
  h.check_equals_model();
}

TEST_CASE("The first timestamp is that of the last segment's first batch", "[log]") {
  LogHarness h;
  CHECK(h.log->first_timestamp_ms() == -1);
  REQUIRE(h.append_and_sync(1, 20, 5000));
  REQUIRE(h.append_and_sync(1, 20, 7000));
  CHECK(h.log->first_timestamp_ms() == 5000);
  h.kill_and_open();
  CHECK(h.log->first_timestamp_ms() == 5000);
  REQUIRE(h.log->roll());
  CHECK(h.log->first_timestamp_ms() == -1);
  REQUIRE(h.append_and_sync(1, 20, 6000));
  CHECK(h.log->first_timestamp_ms() == 6000);
}

TEST_CASE("A batch larger than a segment gets one of its own", "[log]") {
  LogHarness h;
  h.fill(2);
  REQUIRE(h.append_and_sync(1, 5000));
  h.fill(2);
  CHECK(h.log->segments().size() == 3);
  h.check_equals_model();
}

TEST_CASE("A read takes whole batches up to a size, at least one if asked to", "[log]") {
  LogHarness h(LogOptions{.durability = Durability::kOs, .segment_bytes = 1 << 20});
  for (int i = 0; i < 10; ++i) REQUIRE(h.append(2, 100));
  const std::size_t one = h.model.batches[0].bytes.size();
  const auto whole = [&](std::int64_t from, std::size_t max_bytes, std::int64_t limit, bool at_least_one) {
    const auto read = h.log->read(from, max_bytes, limit, at_least_one);
    REQUIRE(read);
    const auto expected =
        read->batches.empty() ? std::vector<std::byte>() : h.model.bytes(read->first_offset, read->next_offset);
    REQUIRE(std::ranges::equal(read->batches.view(), expected));
    return std::pair(read->batches.empty() ? -1 : read->first_offset, read->next_offset);
  };
  using P = std::pair<std::int64_t, std::int64_t>;
  CHECK(whole(0, 3 * one, kNoLimit, false) == P(0, 6));
  CHECK(whole(0, 3 * one - 1, kNoLimit, false) == P(0, 4));
  CHECK(whole(1, 2 * one, kNoLimit, false) == P(0, 4));  // from inside a batch
  CHECK(whole(5, one, kNoLimit, false) == P(4, 6));
  CHECK(whole(6, one - 1, kNoLimit, false) == P(-1, 6));
  CHECK(whole(6, one - 1, kNoLimit, true) == P(6, 8));
  CHECK(whole(6, 0, kNoLimit, true) == P(6, 8));
  CHECK(whole(0, 100 * one, 7, true) == P(0, 6));  // never beyond the limit, also not a part of it
  CHECK(whole(6, 100 * one, 7, true) == P(-1, 6));
  CHECK(whole(6, 100 * one, 6, true) == P(-1, 6));
  CHECK(whole(20, one, kNoLimit, true) == P(-1, 20));
  CHECK(h.log->read(21, one, kNoLimit, true).error().kind == ErrorKind::kNotFound);
  CHECK(h.log->read(-1, one, kNoLimit, true).error().kind == ErrorKind::kNotFound);
  CHECK(whole(0, std::numeric_limits<std::size_t>::max(), kNoLimit, true) == P(0, 20));
}

TEST_CASE("Every offset of a log of many sizes and segments is found", "[log]") {
  LogHarness h(LogOptions{.durability = Durability::kOs, .segment_bytes = 200'000});
  for (int i = 0; i < 300; ++i) REQUIRE(h.append(1 + i % 4, std::size_t(10 + (i * 997) % 9000)));
  for (const auto& batch : h.model.batches) {
    for (std::int64_t offset = batch.base_offset; offset < batch.end_offset; ++offset) {
      for (const std::size_t max_bytes : {std::size_t{1}, std::size_t{20'000}}) {
        const auto read = h.log->read(offset, max_bytes, kNoLimit, true);
        REQUIRE(read);
        REQUIRE(read->first_offset == batch.base_offset);
        REQUIRE(std::ranges::equal(read->batches.view(), h.model.bytes(read->first_offset, read->next_offset)));
      }
    }
  }
  CHECK(h.log->segments().size() > 4);
  CHECK(h.cache.size() <= 4);  // closed segments stay open only as many as the cache holds
}

TEST_CASE("Offsets by timestamp", "[log]") {
  LogHarness h;
  for (int i = 0; i < 60; ++i) REQUIRE(h.append(3, 50, 1000 + 100 * i));  // record k of batch i: 1000 + 100 i + k
  REQUIRE(h.log->segments().size() > 3);
  const auto at = [&](std::int64_t timestamp, std::int64_t limit = kNoLimit) {
    const auto found = h.log->offset_for_timestamp(timestamp, limit);
    REQUIRE(found);
    return *found;
  };
  CHECK(at(0) == TimestampOffset{1000, 0});
  CHECK(at(1001) == TimestampOffset{1001, 1});
  CHECK(at(1003) == TimestampOffset{1100, 3});
  CHECK(at(5502) == TimestampOffset{5502, 137});
  CHECK(at(6902) == TimestampOffset{6902, 179});
  CHECK(at(6903) == std::nullopt);
  CHECK(at(5502, 138) == TimestampOffset{5502, 137});
  CHECK(at(5502, 137) == std::nullopt);  // a batch that crosses the limit is not seen
  CHECK(*h.log->max_timestamp(kNoLimit) == TimestampOffset{6902, 179});
  CHECK(*h.log->max_timestamp(100) == TimestampOffset{4202, 98});
  CHECK(*h.log->max_timestamp(0) == std::nullopt);
  REQUIRE(h.log->delete_before(100));
  CHECK(at(0) == TimestampOffset{4301, 100});
}

TEST_CASE("The first of the largest timestamps wins, and the start of the log hides what is below", "[log]") {
  LogHarness h;
  REQUIRE(h.append(1, 50, 9000));
  REQUIRE(h.append(1, 50, 5000));
  REQUIRE(h.append(1, 50, 7000));
  REQUIRE(h.append(1, 50, 7000));
  CHECK(*h.log->max_timestamp(kNoLimit) == TimestampOffset{9000, 0});
  REQUIRE(h.log->delete_before(1));
  CHECK(*h.log->max_timestamp(kNoLimit) == TimestampOffset{7000, 2});
  CHECK(*h.log->offset_for_timestamp(6000, kNoLimit) == TimestampOffset{7000, 2});
}

TEST_CASE("Deleting raises the start durably and removes whole segments", "[log]") {
  LogHarness h;
  h.fill(40);
  const auto before = h.log->segments();
  const std::int64_t offset = before[2].base_offset + 1;
  REQUIRE(h.log->delete_before(offset));
  CHECK(h.log->start_offset() == offset);
  CHECK(h.log->segments().front().base_offset == before[2].base_offset);
  CHECK_FALSE(h.fs.open(h.path(0), OpenMode::kRead));
  CHECK(h.log->read(offset - 1, 100, kNoLimit, true).error().kind == ErrorKind::kNotFound);
  CHECK(h.log->delete_before(0));  // lower: nothing to do
  CHECK(h.log->delete_before(h.log->end_offset() + 1).error().kind == ErrorKind::kInvalid);
  h.check_equals_model();
  std::mt19937_64 random(1);
  h.fs.crash(random);
  REQUIRE(h.open());
  CHECK(h.log->start_offset() == offset);
  h.check_equals_model();
  REQUIRE(h.log->delete_before(h.log->end_offset()));
  CHECK(h.log->segments().size() == 1);
  h.fill(3);
  h.check_equals_model();
}

TEST_CASE("A clean close makes the next open scan nothing and write nothing", "[log]") {
  LogHarness h;
  h.fill(33);
  REQUIRE(h.log->close());
  CHECK(h.log->append(make_batch(h.log->end_offset())).error().kind == ErrorKind::kInvalid);
  CHECK(h.log->read(0, 100, kNoLimit, true));
  const std::uint64_t operations = h.fs.operations();
  REQUIRE(h.open());
  CHECK(h.fs.operations() == operations);
  CHECK(h.log->recovery().bytes_scanned == 0);
  CHECK(h.log->recovery().indexes_rebuilt == 0);
  h.check_equals_model();
  REQUIRE(h.log->close());
  CHECK(h.fs.operations() == operations);  // nothing written, nothing to do
}

TEST_CASE("After a kill only what is above the last checkpoint is scanned", "[log]") {
  LogOptions options{.durability = Durability::kOs, .segment_bytes = 1 << 20, .checkpoint_bytes = 10'000};
  LogHarness h(options);
  for (int i = 0; i < 400; ++i) REQUIRE(h.append(2, 100));
  h.kill_and_open();
  CHECK(h.log->recovery().bytes_scanned <= 10'000 + 400);
  CHECK(h.log->recovery().bytes_cut == 0);
  h.check_equals_model();
}

TEST_CASE("Durability can be changed; the new window holds at once", "[log]") {
  LogHarness h(test::small_log(Durability::kOs));
  for (int i = 0; i < 5; ++i) REQUIRE(h.append(1, 100));
  CHECK(h.log->durable_offset() == 0);
  REQUIRE(h.log->set_options(test::small_log(Durability::kSync)));
  CHECK(h.log->durable_offset() == 5);
  h.options = test::small_log(Durability::kSync);
  h.kill_and_open();
  CHECK(h.log->durable_offset() == 5);
  h.check_equals_model();
}

TEST_CASE("One batch at a time: each is synced before the next, and an append is one", "[log]") {
  LogOptions options = test::small_log();
  options.one_batch_at_a_time = true;
  LogHarness h(options);
  REQUIRE(h.append());
  CHECK(h.log->durable_offset() == 0);
  REQUIRE(h.append());
  CHECK(h.log->durable_offset() == 1);
  auto two = make_batch(2);
  const auto second = make_batch(3);
  two.insert(two.end(), second.begin(), second.end());
  CHECK(h.log->append(two).error().kind == ErrorKind::kTooLarge);
  CHECK(h.log->end_offset() == 2);
}

TEST_CASE("A synced log never has more than its window unsynced", "[log]") {
  LogOptions options = test::small_log();
  options.segment_bytes = 1 << 20;
  LogHarness h(options);
  for (int i = 0; i < 200; ++i) REQUIRE(h.append(1, 500));
  CHECK(h.log->durable_offset() > 180);
  h.check_equals_model();
}

TEST_CASE("A removed log refuses writes and can be read to the end", "[log]") {
  LogHarness h;
  h.fill(3);
  h.log->mark_removed();
  CHECK(h.log->append(make_batch(6)).error().kind == ErrorKind::kNotFound);
  CHECK(h.log->sync().error().kind == ErrorKind::kNotFound);
  CHECK(h.log->close());
  CHECK(h.log->read(0, 100, kNoLimit, true));
}

TEST_CASE("Readers see whole batches while the writer appends, rolls and deletes", "[log][threads]") {
  LogHarness h(LogOptions{.durability = Durability::kOs, .segment_bytes = 20'000, .checkpoint_bytes = 7'000});
  std::atomic<bool> done{false};
  std::atomic<int> reads{0};
  const auto reader = [&](bool from_start) {
    while (!done.load()) {
      const std::int64_t end = h.log->end_offset();
      const std::int64_t from = from_start ? h.log->start_offset() : std::max(h.log->start_offset(), end - 5);
      const auto read = h.log->read(from, 3000, end, true);
      if (!read) {
        // Deleted in between: the only error there is.
        if (read.error().kind != ErrorKind::kNotFound || from >= h.log->start_offset()) std::abort();
        continue;
      }
      protocol::BatchReader batches(read->batches.view());
      std::int64_t expected = read->first_offset;
      while (auto batch = batches.next().value()) {
        if (batch->base_offset() != expected) std::abort();
        expected = batch->last_offset() + 1;
      }
      if (batches.remaining() != 0 || (!read->batches.empty() && expected != read->next_offset)) std::abort();
      if (!h.log->offset_for_timestamp(1000 + from, end) || !h.log->max_timestamp(end)) std::abort();
      reads.fetch_add(1);
    }
  };
  std::thread first(reader, true);
  std::thread second(reader, false);
  for (int i = 0; i < 3000 || reads.load() < 50; ++i) {
    const std::int64_t base = h.log->end_offset();
    REQUIRE(h.log->append(make_batch(base, 2, 60, 1000 + base)));
    if (i % 100 == 99) REQUIRE(h.log->sync());
    if (i % 500 == 499) REQUIRE(h.log->delete_before(base - 150));
  }
  done.store(true);
  first.join();
  second.join();
  CHECK(h.log->start_offset() > 0);
  CHECK(h.log->segments().back().base_offset > 0);
}

}  // namespace
}  // namespace cohort::storage
