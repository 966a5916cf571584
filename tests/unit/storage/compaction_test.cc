// What a round of compaction leaves of a log, record by record.
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/storage/keyed_log.h"

namespace cohort::storage {
namespace {

using test::KeyedRecord;
using test::listing;
using Lines = std::vector<std::string>;

struct Keyed {
  Keyed() {
    options.min_dirty_ratio = 0;
    options.delete_retention_ms = 100;
  }
  std::int64_t append(const std::vector<KeyedRecord>& records, protocol::BatchOptions batch = {}) {
    const std::int64_t base = h.log->end_offset();
    batch.base_offset = base;
    REQUIRE(h.log->append(test::make_keyed_batch(records, batch)));
    REQUIRE(h.log->sync());
    return base;
  }
  void roll() { REQUIRE(h.log->roll()); }
  bool compact(std::int64_t now_ms = 10'000) {
    options.limit_offset = h.log->end_offset();
    options.now_ms = now_ms;
    const auto done = storage::compact(h.fs, h.log, options, test::right_here);
    INFO((done ? std::string() : done.error().message));
    REQUIRE(done);
    return *done;
  }
  void reopen() {
    const Lines before = listing(h.log);
    h.kill_and_open();
    CHECK(listing(h.log) == before);
  }
  test::LogHarness h;
  CompactionOptions options;
};

TEST_CASE("The last record of each key stays; the active segment is left alone", "[compaction]") {
  Keyed k;
  k.append({{"a", "1"}, {"b", "1"}, {"a", "2"}});
  k.append({{"c", "1"}});
  k.append({{"b", "2"}, {"d", "1"}});
  k.roll();
  k.append({{"d", "2"}, {"d", "3"}});
  REQUIRE(k.compact());
  CHECK(listing(k.h.log) == Lines{"2:a=2", "3:c=1", "4:b=2", "5:d=1", "6:d=2", "7:d=3"});
  CHECK(k.h.log->cleaned_offset() == 6);
  CHECK(k.h.log->end_offset() == 8);
  k.reopen();
  CHECK(k.h.log->cleaned_offset() == 6);
  CHECK_FALSE(k.compact());

  k.roll();
  REQUIRE(k.compact());
  CHECK(listing(k.h.log) == Lines{"2:a=2", "3:c=1", "4:b=2", "7:d=3"});
  CHECK(k.h.log->segments().size() == 2);  // two small ones became one
  k.reopen();
}

TEST_CASE("A read from a gap gives what comes next; a segment's last batch stays without records", "[compaction]") {
  Keyed k;
  k.append({{"a", "1"}});
  k.append({{"b", "1"}});
  k.append({{"a", "2"}});
  k.append({{"b", "2"}, {"b", "3"}});
  k.roll();
  k.append({{"b", "4"}});
  k.roll();
  k.options.segment_bytes = 1;  // no merging
  REQUIRE(k.compact());
  CHECK(listing(k.h.log) == Lines{"2:a=2", "[3-4]", "5:b=4"});
  for (const std::int64_t from : {0, 1, 2}) {
    const auto read = k.h.log->read(from, 1, 6, true);
    REQUIRE(read);
    CHECK(read->first_offset == 2);
    CHECK(read->next_offset == 3);
  }
  CHECK(k.h.log->read(3, 1, 6, true)->next_offset == 5);
  CHECK(k.h.log->read(0, 1, 2, true)->batches.empty());
  k.reopen();

  k.options.segment_bytes = 2048;
  k.append({{"e", "1"}});
  k.roll();
  REQUIRE(k.compact());
  CHECK(listing(k.h.log) == Lines{"2:a=2", "[3-4]", "5:b=4", "6:e=1"});
  k.append({{"f", "1"}});
  k.roll();
  REQUIRE(k.compact());  // what was the end of a segment is one no longer
  CHECK(listing(k.h.log) == Lines{"2:a=2", "5:b=4", "6:e=1", "7:f=1"});
  k.reopen();
}

TEST_CASE("Records without a key go", "[compaction]") {
  Keyed k;
  k.append({{std::nullopt, "1"}, {"a", "1"}, {std::nullopt, "2"}});
  k.roll();
  REQUIRE(k.compact());
  CHECK(listing(k.h.log) == Lines{"1:a=1"});
}

TEST_CASE("A tombstone goes delete.retention.ms after the first round that saw it", "[compaction]") {
  Keyed k;
  k.append({{"a", "1"}, {"b", "1"}});
  k.append({{"a", std::nullopt}, {"c", "1"}});
  k.roll();
  k.append({{"x", "1"}});
  REQUIRE(k.compact(10'000));
  CHECK(listing(k.h.log) == Lines{"1:b=1", "2:a", "3:c=1", "4:x=1"});
  const auto read = k.h.log->read(2, 1, 5, true);
  REQUIRE(read);
  const protocol::BatchHeader header(read->batches.view().data());
  CHECK(header.delete_horizon_ms() == 10'100);
  CHECK(header.max_timestamp() == 1000);

  k.roll();
  REQUIRE(k.compact(10'099));
  CHECK(listing(k.h.log) == Lines{"1:b=1", "2:a", "3:c=1", "4:x=1"});
  k.append({{"x", "2"}});
  k.roll();
  REQUIRE(k.compact(10'100));
  CHECK(listing(k.h.log) == Lines{"1:b=1", "3:c=1", "[4-4]", "5:x=2"});
  k.reopen();
}

TEST_CASE("A producer's last batch stays, empty; batches keep their codec, producer and offsets", "[compaction]") {
  for (const auto codec : {protocol::Compression::kNone, protocol::Compression::kGzip, protocol::Compression::kSnappy,
                           protocol::Compression::kLz4, protocol::Compression::kZstd}) {
    Keyed k;
    k.append({{"a", "1"}}, {.producer_id = 7, .producer_epoch = 1, .base_sequence = 0});
    k.append(
        {{"a", "2"}, {"b", "1"}},
        {.partition_leader_epoch = 3, .compression = codec, .producer_id = 7, .producer_epoch = 1, .base_sequence = 1});
    k.append({{"a", "3"}}, {.producer_id = 8, .producer_epoch = 0, .base_sequence = 0});
    k.append({{"a", "4"}});
    k.roll();
    k.options.producers = {{7, 2}, {8, 3}};
    REQUIRE(k.compact());
    CHECK(listing(k.h.log) == Lines{"2:b=1", "[3-3]", "4:a=4"});
    const auto read = k.h.log->read(0, 1, 5, true);
    REQUIRE(read);
    const auto batch = protocol::parse_batch(read->batches.view());
    REQUIRE(batch);
    CHECK(batch->base_offset() == 1);
    CHECK(batch->last_offset() == 2);
    CHECK(batch->partition_leader_epoch() == 3);
    CHECK(batch->compression() == codec);
    CHECK(batch->producer_id() == 7);
    CHECK(batch->last_sequence() == 2);
    CHECK(batch->records_count() == 1);
    k.reopen();
  }
}

TEST_CASE("Control batches stay as they are", "[compaction]") {
  Keyed k;
  const std::string key("\0\0\0\2", 4);
  k.append({{key, "x"}}, {.is_control = true});
  k.append({{key, "y"}}, {.is_control = true});
  k.roll();
  REQUIRE(k.compact());
  CHECK(listing(k.h.log).size() == 2);
}

TEST_CASE("Nothing above the limit and no segment younger than the lag is compacted", "[compaction]") {
  Keyed k;
  k.append({{"a", "1", 1000}, {"a", "2", 1000}});
  k.roll();
  k.append({{"a", "3", 5000}, {"a", "4", 5000}});
  k.roll();
  k.options.limit_offset = 3;
  k.options.now_ms = 6000;
  REQUIRE(storage::compact(k.h.fs, k.h.log, k.options, test::right_here) == true);
  CHECK(listing(k.h.log) == Lines{"1:a=2", "2:a=3", "3:a=4"});

  k.options.min_lag_ms = 1001;
  CHECK_FALSE(k.compact(6000));
  CHECK(k.compact(6001));
  CHECK(listing(k.h.log) == Lines{"[0-1]", "3:a=4"});
}

TEST_CASE("The dirty part must be large enough or old enough", "[compaction]") {
  Keyed k;
  k.append({{"a", "1", 1000}, {"b", "1", 1000}});
  k.roll();
  REQUIRE(k.compact());
  k.append({{"a", "2", 1000}});
  k.roll();
  k.options.min_dirty_ratio = 0.9;
  CHECK_FALSE(k.compact(10'000));
  k.options.max_lag_ms = 9000;
  CHECK_FALSE(k.compact(10'000));
  CHECK(k.compact(10'001));
  CHECK(listing(k.h.log) == Lines{"1:b=1", "2:a=2"});
}

TEST_CASE("A round goes as far as the map reaches, the next one goes on there", "[compaction]") {
  Keyed k;
  k.options.map_bytes = 10 * 24;  // nine keys
  for (int i = 0; i < 20; ++i) k.append({{std::string(1, char('a' + i)), "1"}, {"z", std::to_string(i)}});
  k.roll();
  REQUIRE(k.compact());
  CHECK(k.h.log->cleaned_offset() == 16);
  CHECK(listing(k.h.log).front() == "0:a=1");
  CHECK(listing(k.h.log).size() == 33);  // of the first nine values of z none: the map knows a tenth
  while (k.compact()) {
  }
  CHECK(k.h.log->cleaned_offset() == 40);
  CHECK(listing(k.h.log).size() == 21);
  CHECK(listing(k.h.log).back() == "39:z=19");
  k.reopen();

  k.append({{"k", "1"},
            {"l", "1"},
            {"m", "1"},
            {"n", "1"},
            {"o", "1"},
            {"p", "1"},
            {"q", "1"},
            {"r", "1"},
            {"s", "1"},
            {"t", "1"}});
  k.roll();
  k.options.limit_offset = k.h.log->end_offset();
  const auto refused = storage::compact(k.h.fs, k.h.log, k.options, test::right_here);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::kTooLarge);
}

TEST_CASE("Times are found in a compacted log; an empty batch's time is nobody's", "[compaction]") {
  Keyed k;
  k.append({{"a", "1", 1000}, {"b", "1", 2000}});
  k.append({{"c", "1", 3000}});
  k.append({{"a", "2", 9000}});
  k.roll();
  k.append({{"a", "3", 4000}});
  k.roll();
  k.options.segment_bytes = 1;
  REQUIRE(k.compact());
  REQUIRE(listing(k.h.log) == Lines{"1:b=1", "2:c=1", "[3-3]", "4:a=3"});
  const auto check = [&] {
    CHECK(**k.h.log->offset_for_timestamp(1000, 5) == TimestampOffset{2000, 1});
    CHECK(**k.h.log->offset_for_timestamp(2500, 5) == TimestampOffset{3000, 2});
    CHECK(**k.h.log->offset_for_timestamp(3500, 5) == TimestampOffset{4000, 4});
    CHECK_FALSE(*k.h.log->offset_for_timestamp(4001, 5));
    CHECK(**k.h.log->max_timestamp(5) == TimestampOffset{4000, 4});
    CHECK(**k.h.log->max_timestamp(4) == TimestampOffset{3000, 2});
  };
  check();
  k.reopen();
  check();
}

TEST_CASE("Readers of the old file go on, and a log that changed meanwhile ends the round", "[compaction]") {
  Keyed k;
  k.append({{"a", "1"}, {"b", "1"}});
  k.roll();
  k.append({{"a", "2"}});
  k.roll();
  k.options.limit_offset = k.h.log->end_offset();
  LogReader reader(k.h.log, 0, 3, 1);
  REQUIRE(reader.next());
  auto planned = Compaction::plan(k.h.fs, k.h.log, k.options);
  REQUIRE(planned);
  auto next = (*planned)->write_next();
  REQUIRE(next);
  REQUIRE(k.h.log->delete_before(2));
  test::Quiet quiet;
  CHECK(k.h.log->replace(std::move(**next)).error().kind == ErrorKind::kNotFound);
  CHECK(listing(k.h.log) == Lines{"2:a=2"});
  k.reopen();
}

TEST_CASE("Readers on another thread never see an error or a record twice while segments are replaced",
          "[compaction]") {
  Keyed k;
  k.h.options.segment_bytes = 1024;
  k.reopen();
  std::atomic<bool> done{false};
  std::atomic<int> failures{0};
  std::atomic<int> reads{0};
  std::thread reader([&] {
    while (!done) {
      LogReader all(k.h.log, 0, k.h.log->end_offset(), 200);
      std::int64_t before = -1;
      while (true) {
        const auto slice = all.next();
        if (!slice) ++failures;
        if (!slice || slice->empty()) break;
        const std::int64_t first = protocol::BatchHeader(slice->view().data()).base_offset();
        if (first <= before) ++failures;
        before = first;
        ++reads;
      }
      if (!k.h.log->offset_for_timestamp(1000, 1 << 20) || !k.h.log->max_timestamp(1 << 20)) ++failures;
    }
  });
  for (int i = 0; i < 400 || reads < 20'000; ++i) {
    k.append({{"a" + std::to_string(i % 7), std::string(50, 'x')}, {"b" + std::to_string(i % 90), "1"}});
    if (i % 10 == 9) k.compact();
  }
  done = true;
  reader.join();
  CHECK(failures == 0);
}

TEST_CASE("A missing segment and damage in a compacted one are refused", "[compaction]") {
  Keyed k;
  k.h.options.verify_all_on_open = true;
  for (int i = 0; i < 3; ++i) {
    k.append({{"a", std::to_string(i)}, {"b" + std::to_string(i), "1"}});
    k.append({{"a", std::to_string(i)}});
    k.roll();
  }
  k.options.segment_bytes = 1;
  REQUIRE(k.compact());
  k.reopen();
  k.h.log.reset();
  const std::string path = k.h.path(3);
  const std::string bytes = k.h.fs.contents(path);
  std::string damaged = bytes;
  damaged[70] = static_cast<char>(damaged[70] ^ 1);
  k.h.fs.overwrite(path, damaged);
  CHECK(k.h.open().error().kind == ErrorKind::kCorrupt);
  k.h.fs.overwrite(path, bytes);
  REQUIRE(k.h.fs.remove(path));
  CHECK(k.h.open().error().kind == ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace cohort::storage
