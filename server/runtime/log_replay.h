// Walks over the records of a coordinator log, chunk by chunk and slice by slice. Owned by ShardCore; pure; trusts no
// byte. Offsets may jump forward (compaction), never back. Transactional and control batches are refused: skipping them
// would make aborted offsets look committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "protocol/base/result.h"
#include "protocol/batch/record.h"
#include "protocol/batch/record_batch.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/bytes.h"

namespace cohort::runtime {

// Whole batches of a log as they were read.
struct LogChunk {
  protocol::Bytes batches;
  std::int64_t next_offset = 0;  // behind the batches
  std::int64_t durable_end = 0;  // of the log
};

class LogReplay {
 public:
  // Forgets everything; the first chunk is to be read from the log's start.
  void start();
  // The chunk that was asked for. Before: !has_chunk().
  void add(LogChunk chunk);
  bool has_chunk() const { return chunk_.has_value(); }

  // True and a record, valid until the next call; false when the chunk is used up (has_chunk() is false then).
  Result<bool> next(protocol::RecordView& record);

  // After a chunk: where the next one starts, and whether there is none.
  std::int64_t next_offset() const { return next_offset_; }
  bool is_finished() const { return !chunk_ && next_offset_ >= durable_end_; }
  std::int64_t durable_end() const { return durable_end_; }

 private:
  Result<bool> next_batch();
  Result<bool> end_chunk();

  std::optional<LogChunk> chunk_;
  std::optional<protocol::BatchReader> batches_;
  std::optional<protocol::BatchView> batch_;
  std::optional<protocol::RecordReader> records_;  // of the present batch
  protocol::ByteBuffer decompressed_;
  std::int64_t next_offset_ = 0;  // nothing below it may come any more
  std::int64_t durable_end_ = 0;
};

}  // namespace cohort::runtime
