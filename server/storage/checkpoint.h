// The file `checkpoint` in a log's folder: what is known to be on the disk, and how the log was being written.
// Plain value with its text form; Log writes it. Text, so that a person can read it; with a checksum, so that damage is
// seen. Why one file per log and not one per data folder, as Kafka has it: a log is written by its own thread, and a
// damaged file stops one log only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/base/result.h"
#include "server/storage/leader_epochs.h"

namespace cohort::storage {

// Larger offsets are never written and never believed, so that adding to one cannot overflow.
inline constexpr std::int64_t kMaxOffset = std::int64_t{1} << 62;

// The most that is written and not synced at any time, so the most that a crash can have torn.
struct Window {
  std::uint64_t bytes = 0;  // 0: no limit
  bool one_batch = false;   // each batch is synced before the next is written

  friend bool operator==(const Window&, const Window&) = default;
};

struct Checkpoint {
  std::string identity = {};         // LogOptions::identity
  std::int64_t start_offset = 0;     // log start offset; segments wholly below it are left-overs
  std::int64_t recovery_offset = 0;  // every byte of a batch below it is durable
  std::int64_t segment_base = 0;     // the segment that recovery_offset lies in, or ends
  std::uint64_t position = 0;        // of recovery_offset in that segment
  Window window;
  // Segments that end at or below it may have lost batches and records to compaction: offsets in them rise. Above it
  // they follow each other without a gap. Never above segment_base.
  std::int64_t rising_offset = 0;
  std::int64_t cleaned_offset = 0;  // what is below was compacted against all that is below; never above rising_offset
  LeaderEpochs epochs = {};  // of the batches below recovery_offset

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

inline constexpr std::string_view kCheckpointName = "checkpoint";

std::string to_text(const Checkpoint& checkpoint);
// kCorrupt says what is wrong with the text; the caller adds the file's name.
Result<Checkpoint> parse_checkpoint(std::string_view text);

}  // namespace cohort::storage
