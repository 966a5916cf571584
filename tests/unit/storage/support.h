// What the tests of storage share: batches, a log in a MemFs, and the model that a log is compared with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/log.h"
#include "server/storage/log.h"
#include "server/storage/log_reader.h"
#include "server/storage/mem_fs.h"

namespace cohort::storage::test {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// Expected trouble is not logged while one exists.
struct Quiet {
  Quiet() { log::set_level(log::Level::kOff); }
  ~Quiet() { log::set_level(log::Level::kWarn); }
};

// A batch of `records` records whose values hold `value_bytes` bytes that depend on the seed.
std::vector<std::byte> make_batch(std::int64_t base_offset, int records = 1, std::size_t value_bytes = 20,
                                  std::int64_t timestamp_ms = 1000, unsigned seed = 0);

// A batch of one record whose value is `value`.
std::vector<std::byte> make_batch_around(std::int64_t base_offset, std::span<const std::byte> value);

// How a process ends without a word: with the machine, or alone.
enum class End { kPowerLoss, kKill };

// All batches that were ever appended, in order: what a log must be a prefix of.
struct Model {
  struct Batch {
    std::int64_t base_offset;
    std::int64_t end_offset;
    std::vector<std::byte> bytes;
  };
  std::vector<Batch> batches;

  std::int64_t end_offset() const { return batches.empty() ? 0 : batches.back().end_offset; }
  void cut(std::int64_t end_offset);
  // The bytes of [from, to), which must be batch boundaries.
  std::vector<std::byte> bytes(std::int64_t from, std::int64_t to) const;
};

// Everything that a reader sees between start (rounded down to a batch) and end; checks checksums on the way.
Result<std::vector<std::byte>> read_all(const std::shared_ptr<Log>& log, std::size_t slice_bytes = 4096);

inline LogOptions small_log(Durability durability = Durability::kSync) {
  return LogOptions{.durability = durability,
                    .segment_bytes = 2048,
                    .checkpoint_bytes = 1500,
                    .max_unsynced_bytes = 8192,
                    .verify_all_on_open = false};
}

// A log in the folder /d of its own MemFs.
class LogHarness {
 public:
  explicit LogHarness(LogOptions options = small_log());

  MemFs fs;
  SegmentCache cache{4};
  LogOptions options;
  std::shared_ptr<Log> log;
  Model model;

  Result<void> open();  // again, after the old one was let go
  // Appends a batch that continues the log; the model follows if it worked.
  Result<void> append(int records = 1, std::size_t value_bytes = 20, std::int64_t timestamp_ms = 1000);
  Result<void> append_and_sync(int records = 1, std::size_t value_bytes = 20, std::int64_t timestamp_ms = 1000);
  void fill(int batches, std::size_t value_bytes = 100);
  void kill_and_open();
  std::string path(std::int64_t base_offset) const { return segment_path("/d", base_offset); }
  // The log is the model from its start to its end, byte for byte.
  void check_equals_model() const;

 private:
  unsigned seed_ = 0;
};

}  // namespace cohort::storage::test
