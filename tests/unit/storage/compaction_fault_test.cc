// What a disk that refuses does to a round of compaction: the log goes on, as it was or compacted, and so it does after
// the next start.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <random>

#include "tests/unit/storage/keyed_log.h"

namespace cohort::storage {
namespace {

using test::KeyedRecord;
using test::KeyValues;

CompactionOptions eager_options(const Log& log) {
  return {.limit_offset = log.end_offset(), .now_ms = 10'000, .delete_retention_ms = 0, .min_dirty_ratio = 0};
}

struct FaultyLog {
  FaultyLog() {
    // Three segments that become one.
    for (int i = 0; i < 3; ++i) {
      append({{"a", std::to_string(i)}, {"b" + std::to_string(i), "1"}});
      append({{"a", std::to_string(10 + i)}});
      REQUIRE(h.log->roll());
    }
  }
  void append(const std::vector<KeyedRecord>& records) {
    REQUIRE(h.log->append(test::make_keyed_batch(records, {.base_offset = h.log->end_offset()})));
    REQUIRE(h.log->sync());
    for (const auto& record : records) test::apply(expected, record);
  }
  Result<bool> compact() {
    CompactionOptions options = eager_options(*h.log);
    if (!merges) options.segment_bytes = 1;
    return storage::compact(h.fs, h.log, options, test::right_here);
  }
  void check() {
    const auto records = test::read_records(h.log, 0);
    INFO((records ? std::string() : records.error().message));
    REQUIRE(records);
    CHECK(test::state_of(*records) == expected);
  }
  test::LogHarness h;
  KeyValues expected;
  bool merges = true;
};

enum class Then { kKill, kPowerLoss };

// False: the fault did not strike, the round has no such operation so late.
bool fail_one(bool merges, MemFs::Op op, std::uint64_t nth, Then then, unsigned seed) {
  FaultyLog k;
  k.merges = merges;
  k.h.fs.fail(op, nth, EIO);
  const auto done = k.compact();
  k.h.fs.clear_faults();
  for (const DirEntry& entry : *k.h.fs.list("/d")) CHECK_FALSE(entry.name.ends_with(".log.tmp"));
  // A sync of the active segment that fails is a failed sync like any other.
  if (k.h.log->needs_seal()) REQUIRE(k.h.log->seal());
  k.check();
  k.append({{"a", "20"}, {"c", "1"}});
  k.check();
  if (!k.h.log->can_replace()) {
    REQUIRE_FALSE(done);
    CHECK(k.compact() == false);  // not even tried
  }
  const std::int64_t end = k.h.log->end_offset();
  k.h.log.reset();
  if (then == Then::kKill) {
    k.h.fs.kill();
  } else {
    std::mt19937_64 random(seed);
    k.h.fs.crash(random);
  }
  const auto opened = k.h.open();
  INFO((opened ? std::string() : opened.error().message));
  REQUIRE(opened);
  CHECK(k.h.log->end_offset() == end);
  k.check();
  // And on it goes.
  k.merges = true;
  REQUIRE(k.h.log->roll());
  REQUIRE(k.compact() == true);
  k.check();
  CHECK(k.h.log->segments().size() == 2);
  CHECK(test::read_records(k.h.log, 0)->size() == k.expected.size());
  return !done.has_value();
}

TEST_CASE("Any operation of a round may fail: nothing is lost, then and after a start", "[compaction][fault]") {
  const test::Quiet quiet;
  using Op = MemFs::Op;
  for (const bool merges : {true, false}) {
    for (const Op op : {Op::kWrite, Op::kSync, Op::kOpen, Op::kRename, Op::kAfterRename, Op::kRemove, Op::kSyncDir}) {
      int failed = 0;
      for (std::uint64_t nth = 1; nth <= 16; ++nth) {
        INFO("merges " << merges << " operation " << static_cast<int>(op) << " number " << nth);
        if (fail_one(merges, op, nth, Then::kKill, 0)) ++failed;
        for (unsigned seed = 0; seed < 12; ++seed) fail_one(merges, op, nth, Then::kPowerLoss, seed);
      }
      CHECK(failed > 0);
    }
  }
}

TEST_CASE("When the folder cannot be synced behind a rename, merged files keep their names", "[compaction][fault]") {
  const test::Quiet quiet;
  for (std::uint64_t nth = 1; nth < 10; ++nth) {
    FaultyLog k;
    k.h.fs.fail(MemFs::Op::kSyncDir, nth, EIO);
    const auto done = k.compact();
    k.h.fs.clear_faults();
    if (k.h.log->can_replace()) continue;
    REQUIRE_FALSE(done);
    const auto before = *k.h.fs.list("/d");
    CHECK(k.compact() == false);
    CHECK(k.h.log->set_cleaned_offset(3).error().kind == ErrorKind::kIo);
    CHECK(*k.h.fs.list("/d") == before);
    k.h.kill_and_open();
    CHECK(k.h.log->can_replace());
    k.check();
    return;
  }
  FAIL("no folder sync of a round failed");
}

TEST_CASE("A rename that took effect although it failed is read by its handle, and found by the next start",
          "[compaction][fault]") {
  const test::Quiet quiet;
  FaultyLog k;
  // The first is the checkpoint's.
  k.h.fs.fail(MemFs::Op::kAfterRename, 2, EIO);
  REQUIRE_FALSE(k.compact());
  CHECK_FALSE(k.h.log->can_replace());
  const auto records = test::read_records(k.h.log, 0);
  REQUIRE(records);
  CHECK(records->size() == 4);  // compacted: a, b0, b1, b2
  k.check();
  k.h.kill_and_open();
  k.check();
}

TEST_CASE("A producer's older batch goes only when its last one is on the disk", "[compaction][fault]") {
  test::LogHarness h(test::small_log(Durability::kOs));
  const auto append = [&](const char* value, std::int32_t sequence) {
    protocol::BatchOptions batch{.base_offset = h.log->end_offset(),
                                 .producer_id = sequence < 0 ? protocol::kNoProducerId : 7,
                                 .producer_epoch = static_cast<std::int16_t>(sequence < 0 ? -1 : 0),
                                 .base_sequence = sequence};
    REQUIRE(h.log->append(test::make_keyed_batch({{"a", value}}, batch)));
  };
  append("1", 0);
  append("2", -1);
  REQUIRE(h.log->roll());
  append("3", 1);
  CHECK(h.log->durable_offset() == 2);
  CompactionOptions options = eager_options(*h.log);

  // It is decided, but not even written yet.
  options.producers = {{7, 3}};
  CHECK(storage::compact(h.fs, h.log, options, test::right_here) == false);
  CHECK(test::listing(h.log) == std::vector<std::string>{"0:a=1", "1:a=2", "2:a=3"});
  CHECK(h.log->cleaned_offset() == 0);

  options.producers = {{7, 2}};
  CHECK(storage::compact(h.fs, h.log, options, test::right_here) == true);
  CHECK(test::listing(h.log) == std::vector<std::string>{"1:a=2", "2:a=3"});
  CHECK(h.log->durable_offset() == 3);
}

TEST_CASE("A compacted file beside the index of the file before, and the other way round, is read whole",
          "[compaction][fault]") {
  const test::Quiet quiet;
  for (const bool keeps_file : {true, false}) {
    FaultyLog k;
    const std::string index = index_path("/d", 0);
    CompactionOptions options = eager_options(*k.h.log);
    options.segment_bytes = 1;  // no merging: the file goes on to the same offset
    const std::string old_index = k.h.fs.contents(index);
    const std::string old_file = k.h.fs.contents(k.h.path(0));
    REQUIRE(storage::compact(k.h.fs, k.h.log, options, test::right_here) == true);
    REQUIRE(k.h.fs.contents(k.h.path(0)).size() < old_file.size());
    const std::string new_index = k.h.fs.contents(index);
    k.h.log.reset();
    if (keeps_file) {
      k.h.fs.overwrite(index, old_index);
    } else {
      k.h.fs.overwrite(k.h.path(0), old_file);
    }
    REQUIRE(k.h.open());
    k.check();
    if (keeps_file) CHECK(k.h.fs.contents(index) == new_index);
    if (!keeps_file) CHECK(k.h.fs.contents(index) == old_index);
  }
}

}  // namespace
}  // namespace cohort::storage
