// SparseIndex: finds a batch in a segment by offset or by timestamp, one entry per 16 KiB of batches. Internal to
// storage.
//
// A plain value: Log guards the one of its last segment, the others are immutable. Kept in a file beside the segment
// (`<20 digits>.sparseindex`) when the segment is closed and at each checkpoint, and only for what was synced before.
// The file is a help and nothing more: missing, damaged or not of this segment means that it is built again from the
// batches.
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

// What the first bytes of an index file say about a segment, so that a start reads them and not the entries.
struct SegmentSummary {
  std::int64_t base_offset = 0;
  std::int64_t end_offset = 0;
  std::uint64_t covered_bytes = 0;     // of the segment, from its start; all of them synced before this was written
  std::int64_t max_timestamp_ms = -1;  // -1: no batch, or none with a timestamp

  friend bool operator==(const SegmentSummary&, const SegmentSummary&) = default;
};

class SparseIndex {
 public:
  static constexpr std::uint64_t kIntervalBytes = 16 * 1024;
  static constexpr std::size_t kSummaryBytes = 52;  // at the start of the file

  struct Entry {
    std::int64_t offset = 0;  // where the batch before position ends: the one at position begins there or later
    std::uint32_t position = 0;
    std::int64_t max_timestamp_ms = -1;  // over all batches before position

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  SparseIndex() = default;
  explicit SparseIndex(std::int64_t base_offset);

  // The next batch of the segment.
  void add(std::size_t batch_bytes, std::int64_t end_offset, std::int64_t max_timestamp_ms);
  // Back to an earlier summary() of this index.
  void cut(const SegmentSummary& earlier);

  const SegmentSummary& summary() const { return summary_; }

  // The last known place at or before the batch with this offset: where to start walking.
  Entry floor_by_offset(std::int64_t offset) const;
  // The last known place up to which all batches end at or before this position and this offset.
  Entry floor_by_end(std::uint64_t position, std::int64_t offset) const;
  // The same as floor_by_offset for the first batch with a max timestamp of at least timestamp_ms.
  Entry floor_by_timestamp(std::int64_t timestamp_ms) const;

  std::string to_bytes() const;
  // kCorrupt when the checksums or the order of the entries are wrong.
  static Result<SegmentSummary> parse_summary(std::span<const std::byte> bytes);
  static Result<SparseIndex> parse(std::span<const std::byte> bytes);

  friend bool operator==(const SparseIndex&, const SparseIndex&) = default;

 private:
  SegmentSummary summary_;
  std::vector<Entry> entries_;  // ascending; the segment's start is not among them
};

}  // namespace cohort::storage
