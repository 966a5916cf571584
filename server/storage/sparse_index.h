// SparseIndex: finds a batch in a segment by offset or by timestamp, one entry per 16 KiB of batches. Internal to
// storage.
//
// A plain value: Log guards the one of its last segment, the others are immutable. Kept in a file beside the segment
// (`<20 digits>.sparseindex`) when the segment is closed and at each checkpoint, for what is synced only. The file is a
// help and nothing more: missing, damaged or not of this segment means that it is built again from the batches.
// Why not Kafka's .index and .timeindex: they have no checksum and no word on how much of the segment they cover, so
// after each unclean stop they must be built again; and one file is one sync.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace cohort::storage {

class SparseIndex {
 public:
  static constexpr std::uint64_t kIntervalBytes = 16 * 1024;

  struct Entry {
    std::int64_t offset = 0;  // base offset of the batch at position
    std::uint32_t position = 0;
    std::int64_t max_timestamp_ms = -1;  // over all batches before position

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  SparseIndex() = default;
  explicit SparseIndex(std::int64_t base_offset) : base_offset_(base_offset), end_offset_(base_offset) {}

  // The next batch of the segment.
  void add(std::uint32_t size, std::int64_t end_offset, std::int64_t max_timestamp_ms);
  // Forgets what is at or above position, which must be the start of a batch or the end; end_offset is its offset.
  void cut(std::uint64_t position, std::int64_t end_offset);

  std::int64_t base_offset() const { return base_offset_; }
  std::int64_t end_offset() const { return end_offset_; }
  std::uint64_t covered_bytes() const { return covered_; }
  std::int64_t max_timestamp_ms() const { return max_timestamp_ms_; }

  // Where to start walking to find the batch with this offset.
  std::uint64_t floor_by_offset(std::int64_t offset) const;
  // Where to start walking to find the first batch with a max timestamp of at least timestamp_ms.
  std::uint64_t floor_by_timestamp(std::int64_t timestamp_ms) const;

  std::string to_bytes() const;
  static Result<SparseIndex> parse(std::string_view bytes);

  friend bool operator==(const SparseIndex&, const SparseIndex&) = default;

 private:
  std::int64_t base_offset_ = 0;
  std::int64_t end_offset_ = 0;
  std::uint64_t covered_ = 0;
  std::int64_t max_timestamp_ms_ = -1;
  std::vector<Entry> entries_;
};

}  // namespace cohort::storage
