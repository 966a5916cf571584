// What a broker checks before it takes a client's batch (Kafka: ProduceRequest.validateRecords,
// UnifiedLog.analyzeAndValidateRecords, LogValidator). Owner: none, a pure function. Threads: any. Lifetime: the result
// borrows the batch. Why one pass and not Kafka's two or three: nothing between them needs a lock, and the error of the
// first check that fails is the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "protocol/batch/record_batch.h"
#include "protocol/types/error_code.h"

namespace cohort::protocol {

class ByteBuffer;

struct ProduceRules {
  std::int16_t produce_version = 0;  // zstd needs 7
  std::size_t max_message_bytes = kMaxBatchSize;
  std::size_t max_decompressed_bytes = 0;
  bool is_compacted = false;                                  // every record needs a key
  TimestampType timestamp_type = TimestampType::kCreateTime;  // of the topic
  std::int64_t timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t timestamp_after_max_ms = 3'600'000;
  std::int64_t now_ms = 0;  // wall clock
};

struct ProducedBatch {
  BatchView batch;  // the one batch; an incomplete tail behind it is dropped, as in Kafka
  std::int32_t records_count;
  std::int64_t
      max_timestamp_ms;  // of the records, or now under LogAppendTime: for set_max_timestamp, with the topic's type
  std::int32_t max_timestamp_offset_delta;  // of the first record that has it
};

struct RecordError {
  std::int32_t batch_index;  // index of the record in its batch, as ProduceResponse names it
  std::string message;
};

struct ProduceError {
  ErrorCode code;
  std::string message;
  std::vector<RecordError> record_errors;  // the first kMaxRecordErrors
};
inline constexpr std::size_t kMaxRecordErrors = 100;

// The checks, in this order. INVALID_RECORD: no whole batch; another magic; a second batch; a base offset other than 0.
// UNSUPPORTED_COMPRESSION_TYPE: zstd below version 7, an unknown codec. MESSAGE_TOO_LARGE: the batch, or its records
// after decompression. CORRUPT_MESSAGE: length, CRC. INVALID_RECORD: offset range and count disagree, a control batch,
// a producer id without sequence, records that cannot be read or do not count 0, 1, 2, ... (Kafka rewrites such a
// compressed batch and lets an uncompressed one pass; readers would see wrong offsets), a missing key.
// INVALID_TIMESTAMP: out of range, or LogAppendTime claimed by the client.
// scratch: for decompressed records, used again from call to call.
std::expected<ProducedBatch, ProduceError> validate_produced_batch(std::span<const std::byte> records,
                                                                   const ProduceRules& rules, ByteBuffer& scratch);

}  // namespace cohort::protocol
