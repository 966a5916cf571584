// BatchFilter: what stays of one batch when its log is compacted (Kafka: Cleaner.cleanInto and MemoryRecords.filterTo).
// Internal to storage.
//
// Owner: Compaction. Threads: one. Pure: bytes in, bytes out.
// Batches keep base offset, last offset, producer, sequences and codec, whatever they lose. Control batches stay as
// they are: markers of transactions come with transactions, and Kafka keeps the other types, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/seeded_hash.h"
#include "protocol/batch/batch_builder.h"
#include "protocol/batch/record.h"
#include "protocol/wire/byte_buffer.h"
#include "server/storage/offset_map.h"

namespace cohort::storage {

struct FilterRules {
  std::int64_t map_end = 0;  // records from here on are not in the map: they stay
  std::int64_t now_ms = 0;
  std::int64_t delete_retention_ms = 0;
  // Last offset of each live producer's last batch, which stays, if need be empty: the next sequence rests on it.
  std::unordered_map<std::int64_t, std::int64_t, SeededHash> producers = {};
};

class BatchFilter {
 public:
  BatchFilter(const OffsetMap& map, FilterRules rules) : map_(map), rules_(std::move(rules)) {}

  // Appends to out what stays of the batch, perhaps nothing; if must_stay at least its header.
  Result<void> filter(const protocol::BatchView& batch, bool must_stay, protocol::ByteBuffer& out);
  // What was left out so far may be missing only when the log is durable up to here: the last batches of its producers
  // lie below.
  std::int64_t rests_on() const { return rests_on_; }

 private:
  bool is_producers_last(const protocol::BatchHeader& batch);
  bool stays(const protocol::BatchHeader& batch, const protocol::RecordView& record) const;
  Result<void> rebuild(const protocol::BatchView& batch, std::span<const std::byte> records, bool has_tombstones,
                       protocol::ByteBuffer& out);

  const OffsetMap& map_;
  FilterRules rules_;
  std::int64_t rests_on_ = 0;
  protocol::ByteBuffer decompressed_;
  protocol::BatchBuilder builder_;
  std::vector<bool> kept_;  // per record of the batch
  std::vector<protocol::RecordHeader> headers_;
};

}  // namespace cohort::storage
