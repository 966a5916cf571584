#include "server/runtime/log_replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/base/check.h"

namespace cohort::runtime {
namespace {

// A batch of ours is not compressed and at most a few MiB; one copied from a Kafka cluster may be.
constexpr std::size_t kMaxDecompressedBytes = std::size_t{64} << 20;

}  // namespace

void LogReplay::start() {
  chunk_.reset();
  batches_.reset();
  batch_.reset();
  records_.reset();
  next_offset_ = durable_end_ = 0;
}

void LogReplay::add(LogChunk chunk) {
  CHECK(!chunk_, "the chunk before is not used up");
  chunk_ = std::move(chunk);
  durable_end_ = chunk_->durable_end;
  batches_.emplace(chunk_->batches.view());
}

Result<bool> LogReplay::next(protocol::RecordView& record) {
  CHECK(chunk_.has_value(), "no chunk");
  while (true) {
    if (records_) {
      auto more = records_->next(record);
      if (!more) {
        return fail(ErrorKind::kCorrupt,
                    fmt::format("batch at offset {}: {}", batch_->base_offset(), more.error().message));
      }
      if (*more) return true;
      records_.reset();
      next_offset_ = batch_->last_offset() + 1;
    }
    auto more = next_batch();
    if (!more) return std::unexpected(std::move(more.error()));
    if (!*more) return end_chunk();
  }
}

// True: records_ stands before the first record of the next batch.
Result<bool> LogReplay::next_batch() {
  auto next = batches_->next();
  if (!next) {
    return fail(ErrorKind::kCorrupt, fmt::format("batch behind offset {}: {}", next_offset_, next.error().message));
  }
  if (!*next) return false;
  batch_ = **next;
  if (batch_->base_offset() < next_offset_ || batch_->last_offset() < batch_->base_offset() ||
      batch_->last_offset() >= durable_end_) {
    return fail(ErrorKind::kCorrupt,
                fmt::format("batch of offsets {} to {} stands where {} to {} was expected", batch_->base_offset(),
                            batch_->last_offset(), next_offset_, durable_end_ - 1));
  }
  if (batch_->is_control() || batch_->is_transactional()) {
    return fail(
        ErrorKind::kUnsupported,
        fmt::format("batch at offset {} belongs to a transaction; transactions are not served", batch_->base_offset()));
  }
  auto bytes = protocol::uncompressed_records(*batch_, kMaxDecompressedBytes, decompressed_);
  if (!bytes) {
    return fail(ErrorKind::kCorrupt,
                fmt::format("batch at offset {}: {}", batch_->base_offset(), bytes.error().message));
  }
  records_.emplace(*batch_, *bytes);
  return true;
}

Result<bool> LogReplay::end_chunk() {
  if (batches_->remaining() > 0) {
    return fail(ErrorKind::kCorrupt, fmt::format("an incomplete batch stands behind offset {}", next_offset_));
  }
  if (chunk_->next_offset < durable_end_ && chunk_->batches.empty()) {
    return fail(ErrorKind::kCorrupt, fmt::format("nothing can be read from offset {} although the log ends at {}",
                                                 next_offset_, durable_end_));
  }
  next_offset_ = std::max(next_offset_, chunk_->next_offset);
  chunk_.reset();
  batches_.reset();
  batch_.reset();
  return false;
}

}  // namespace cohort::runtime
