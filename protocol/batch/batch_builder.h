// Builds one batch after the other in one buffer.
// Owner: whoever writes batches (the coordinator log, compaction, tests). Threads: one at a time. Lifetime: the bytes
// of finish() live until the next start(). Why not the generated writer: a batch is not a message; its header comes
// last and its records are written straight into the buffer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "protocol/base/result.h"
#include "protocol/batch/record.h"
#include "protocol/batch/record_batch.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol {

struct BatchOptions {
  std::int64_t base_offset = 0;
  std::int32_t partition_leader_epoch = kNoPartitionLeaderEpoch;
  Compression compression = Compression::kNone;
  bool is_transactional = false;
  bool is_control = false;
  std::int64_t producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  // With it the timestamp type is LogAppendTime and this is the time of all records.
  std::optional<std::int64_t> log_append_time_ms = std::nullopt;
  // Compaction: the base timestamp becomes this time (see BatchHeader::delete_horizon_ms).
  std::optional<std::int64_t> delete_horizon_ms = std::nullopt;
  // Compaction keeps the offset range although its last records are gone. Default: the last record's delta.
  std::optional<std::int32_t> last_offset_delta = std::nullopt;
};

class BatchBuilder {
 public:
  explicit BatchBuilder(std::size_t reserve_bytes = 0);

  // Begins a new batch; what was there is gone, its memory is used again.
  void start(const BatchOptions& options = {});

  // Appends a record at the next offset. Precondition: would_be_size() of it is at most kMaxBatchSize.
  void append(std::int64_t timestamp_ms, NullableSpan key, NullableSpan value,
              std::span<const RecordHeader> headers = {});
  // Compaction: at this distance from the base offset, larger than that of the record before.
  void append_at(std::int32_t offset_delta, std::int64_t timestamp_ms, NullableSpan key, NullableSpan value,
                 std::span<const RecordHeader> headers = {});

  std::int32_t records_count() const { return records_count_; }
  bool empty() const { return records_count_ == 0; }
  // Size of the batch as it stands, in bytes; exact without compression, before compression with it.
  std::size_t estimated_size() const { return buffer_.size(); }
  // An upper bound of estimated_size() after one more such record, to refuse it before it is appended.
  std::size_t would_be_size(NullableSpan key, NullableSpan value, std::span<const RecordHeader> headers = {}) const;

  // Fills in the header; the batch, or nothing at all if there is no record. Only compression can fail. Next comes
  // start().
  Result<std::span<const std::byte>> finish();
  // finish(), and the buffer with it: for bytes that travel to another thread. The builder starts over without memory.
  Result<ByteBuffer> release();

 private:
  ByteBuffer buffer_;      // header and records, not compressed
  ByteBuffer compressed_;  // header and compressed records, if asked for
  BatchOptions options_;
  std::int32_t records_count_ = 0;
  std::int32_t last_offset_delta_ = -1;
  std::int64_t base_timestamp_ = kNoTimestamp;
  std::int64_t max_timestamp_ = kNoTimestamp;
};

}  // namespace cohort::protocol
