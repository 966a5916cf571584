// Random writes with few keys, random rounds of compaction, beginnings that are deleted, and a power loss or a kill at
// every I/O operation: the log always opens, comes to the same keys and values as all that was ever written behind its
// start, and goes on from there.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <random>

#include "tests/unit/storage/keyed_log.h"

namespace cohort::storage {
namespace {

using test::KeyedRecord;
using test::KeyValues;

using test::End;

class Machine {
 public:
  Machine(LogOptions options, unsigned seed) : options_(options), random_(seed) {
    REQUIRE(disk.make_dir("/d"));
    REQUIRE(Log::create_files(disk, "/d", options_, 0));
    REQUIRE(disk.sync_dir("/"));
  }

  MemFs disk;
  int rounds = 0;

  bool open() {
    auto opened = Log::open(disk, cache_, "/d", options_);
    if (!opened) {
      error_ = opened.error().message;
      return false;
    }
    log_ = *opened;
    return true;
  }

  void script(int steps) {
    for (int step = 0; step < steps; ++step) {
      if (!append()) return;
      if (random_() % 3 != 0) {
        if (!log_->sync()) return;
        promised_end_ = log_->end_offset();
      }
      if (random_() % 6 == 0 && !log_->roll()) return;
      if (random_() % 8 == 0 && !compact()) return;
      if (random_() % 24 == 0 && !delete_some()) return;
      if (random_() % 16 == 0) {
        log_.reset();
        disk.kill();
        if (!open()) return;
      }
    }
  }

  void end(End end, unsigned seed) {
    if (log_ != nullptr) promised_end_ = std::max(promised_end_, log_->durable_offset());
    if (end == End::kKill && log_ != nullptr) promised_end_ = std::max(promised_end_, log_->end_offset());
    log_.reset();
    if (end == End::kKill) return disk.kill();
    std::mt19937_64 random(seed);
    disk.crash(random);
  }

  // The rule that the log broke, or nothing.
  std::optional<std::string> check() {
    if (!open()) return "does not open: " + error_;
    const std::int64_t end = log_->end_offset();
    if (end < promised_end_) return fmt::format("synced records are gone: {} of {}", end, promised_end_);
    if (end > static_cast<std::int64_t>(history_.size())) return "more than was ever written";
    history_.resize(static_cast<std::size_t>(end));
    promised_end_ = log_->durable_offset();
    const std::int64_t start = log_->start_offset();
    if (start < promised_start_ || start > tried_start_) return fmt::format("begins at {}", start);
    promised_start_ = start;
    KeyValues expected;
    for (auto record = history_.begin() + start; record != history_.end(); ++record) test::apply(expected, *record);
    auto records = test::read_records(log_, start);
    if (!records) return "cannot be read: " + records.error().message;
    std::erase_if(*records, [&](const auto& stored) { return stored.offset < start; });
    if (test::state_of(*records) != expected) return "comes to something else";
    for (const auto& stored : *records) {
      const KeyedRecord& written = history_[static_cast<std::size_t>(stored.offset)];
      if (stored.record.key != written.key || stored.record.value != written.value) return "a record was changed";
    }
    // Any range gives what of it survived.
    const std::int64_t from = start + below(end - start);
    const auto rest = test::read_records(log_, from);
    if (!rest) return "cannot be read from the middle: " + rest.error().message;
    const auto last = [&](const auto& all) {
      return std::ranges::count_if(all, [&](const auto& stored) { return stored.offset >= from; });
    };
    if (last(*rest) != last(*records)) return "a range gives other records";
    return std::nullopt;
  }

 private:
  std::int64_t below(std::int64_t bound) {
    return bound == 0 ? 0 : static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(bound));
  }

  bool delete_some() {
    const std::int64_t start = log_->start_offset();
    const std::int64_t offset = start + below((log_->durable_offset() - start) / 2 + 1);
    tried_start_ = std::max(tried_start_, offset);
    if (!log_->delete_before(offset)) return false;
    promised_start_ = log_->start_offset();
    return true;
  }

  bool append() {
    std::vector<KeyedRecord> records;
    for (std::uint64_t i = 0; i <= random_() % 4; ++i) {
      KeyedRecord record{.key = fmt::format("k{}", random_() % 12), .value = std::string(20 + random_() % 90, 'v')};
      *record.value += std::to_string(++counter_);
      if (random_() % 5 == 0) record.value.reset();
      records.push_back(std::move(record));
    }
    const auto batch = test::make_keyed_batch(records, {.base_offset = log_->end_offset()});
    // Before the attempt: if the power fails in the middle, the batch may be there all the same.
    history_.resize(static_cast<std::size_t>(log_->end_offset()));
    history_.insert(history_.end(), records.begin(), records.end());
    return log_->append(batch).has_value();
  }

  bool compact() {
    CompactionOptions options{.limit_offset = log_->durable_offset(),
                              .now_ms = now_ms_ += 50,
                              .delete_retention_ms = 100,
                              .min_dirty_ratio = 0.2,
                              .map_bytes = std::size_t{24} * (random_() % 2 == 0 ? 1000 : 9),
                              .segment_bytes = random_() % 4 == 0 ? 1 : options_.segment_bytes};
    // Writes go on between the long part and the short one.
    const auto done = storage::compact(disk, log_, options, [&](std::move_only_function<Result<void>()> step) {
      if (random_() % 2 == 0 && !append()) return Result<void>(fail(ErrorKind::kIo, "stopped"));
      return step();
    });
    if (done && *done) ++rounds;
    if (!done) error_ = done.error().message;
    return done.has_value();
  }

  LogOptions options_;
  std::mt19937_64 random_;
  SegmentCache cache_{2};
  std::shared_ptr<Log> log_;
  std::vector<KeyedRecord> history_;  // by offset
  std::string error_;
  std::int64_t promised_end_ = 0;
  std::int64_t promised_start_ = 0;
  std::int64_t tried_start_ = 0;
  std::int64_t now_ms_ = 1000;
  int counter_ = 0;
};

void crash_everywhere(LogOptions options, End end, unsigned scripts, unsigned seeds) {
  const test::Quiet quiet;
  constexpr int kSteps = 60;
  int rounds = 0;
  for (unsigned script = 0; script < scripts; ++script) {
    Machine whole(options, script);
    REQUIRE(whole.open());
    const std::uint64_t before = whole.disk.operations();
    whole.script(kSteps);
    rounds += whole.rounds;
    const std::uint64_t operations = whole.disk.operations() - before;
    for (std::uint64_t stop = 0; stop <= operations; ++stop) {
      for (unsigned seed = 0; seed < seeds; ++seed) {
        Machine machine(options, script);
        REQUIRE(machine.open());
        machine.disk.stop_after(stop);
        machine.script(kSteps);
        machine.end(end, seed);
        auto broken = machine.check();
        if (!broken) {  // and once more, a little later
          machine.disk.stop_after((stop * 7 + seed) % 60);
          machine.script(kSteps);
          machine.end(end, seed + 1000);
          broken = machine.check();
        }
        INFO("script " << script << " operation " << stop << " seed " << seed << ": " << broken.value_or(""));
        REQUIRE_FALSE(broken);
      }
    }
  }
  CHECK(rounds > static_cast<int>(scripts) * 3);
}

TEST_CASE("A log that is compacted survives a power loss at every I/O operation", "[compaction][crash]") {
  crash_everywhere(test::small_log(Durability::kSync), End::kPowerLoss, 6, 3);
  crash_everywhere(test::small_log(Durability::kOs), End::kPowerLoss, 6, 3);
}

TEST_CASE("A log that is compacted survives a kill at every I/O operation", "[compaction][crash]") {
  crash_everywhere(test::small_log(Durability::kSync), End::kKill, 4, 1);
  crash_everywhere(test::small_log(Durability::kOs), End::kKill, 4, 1);
}

TEST_CASE("Many rounds of compaction come to what was written", "[compaction]") {
  for (unsigned seed = 0; seed < 30; ++seed) {
    Machine machine(test::small_log(Durability::kOs), 1000 + seed);
    REQUIRE(machine.open());
    machine.script(600);
    machine.end(End::kKill, seed);
    const auto broken = machine.check();
    INFO("seed " << seed << ": " << broken.value_or(""));
    REQUIRE_FALSE(broken);
    CHECK(machine.rounds > 10);
  }
}

}  // namespace
}  // namespace cohort::storage
