// Which leader epochs the batches of a log were written in, and from which offset on (Kafka: LeaderEpochFileCache).
// Clients ask it whether the log still holds what they have read (KIP-320, KIP-595). Plain value, pure; Log keeps one,
// the checkpoint file carries what is durable of it, recovery adds what lies above.
//
// Only epochs that have batches stand in it: the current one without any begins where the log ends, and is an argument.
// Bounded: beyond kMaxEntries the oldest are forgotten. An answer about a forgotten epoch names an end that is too
// late, as after a deletion: nobody is told to go back who need not.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cohort::storage {

inline constexpr std::int32_t kNoEpoch = -1;

struct EpochStart {
  std::int32_t epoch = 0;         // >= 0
  std::int64_t first_offset = 0;  // of its first batch, or the log's start if that is later

  friend bool operator==(const EpochStart&, const EpochStart&) = default;
};

struct EpochEnd {
  std::int32_t epoch = kNoEpoch;  // the largest known one that is not above what was asked for; kNoEpoch: unknown
  std::int64_t end_offset = -1;   // exclusive

  friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};

class LeaderEpochs {
 public:
  static constexpr std::size_t kMaxEntries = 1000;

  // A batch of this epoch begins at this offset, behind all others. Epochs that are not above the last one are no news.
  void add(std::int32_t epoch, std::int64_t first_offset);
  // The log ends here now; begins here now.
  void cut_from(std::int64_t end_offset);
  void cut_before(std::int64_t start_offset);

  // Of a log that ends at end_offset and is being written in epoch `current`.
  EpochEnd end_of(std::int32_t epoch, std::int32_t current, std::int64_t end_offset) const;
  // The epoch that the record at this offset has or will have; kNoEpoch: not known.
  std::int32_t epoch_at(std::int64_t offset, std::int32_t current, std::int64_t end_offset) const;

  // Both numbers rise from entry to entry.
  std::span<const EpochStart> entries() const { return entries_; }

  friend bool operator==(const LeaderEpochs&, const LeaderEpochs&) = default;

 private:
  std::span<const EpochStart> written_below(std::int32_t current, std::int64_t end_offset) const;

  std::vector<EpochStart> entries_;
};

}  // namespace cohort::storage
