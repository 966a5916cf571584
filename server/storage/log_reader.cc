#include "server/storage/log_reader.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/batch/record_batch.h"

namespace cohort::storage {

LogReader::LogReader(std::shared_ptr<const Log> log, std::int64_t from_offset, std::int64_t limit_offset,
                     std::size_t slice_bytes)
    : log_(std::move(log)), next_offset_(from_offset), limit_offset_(limit_offset), slice_bytes_(slice_bytes) {}

Result<protocol::Bytes> LogReader::next() {
  auto slice = log_->read(next_offset_, slice_bytes_, limit_offset_, true);
  if (!slice) return std::unexpected(std::move(slice.error()));
  protocol::BatchReader batches(slice->batches.view(), kMaxBatchBytes);
  while (true) {
    const auto batch = batches.next();
    if (!batch) {
      return fail(ErrorKind::kCorrupt,
                  fmt::format("{} is damaged at position {}: {}", segment_path(log_->dir(), slice->segment_base),
                              slice->position + batches.position(), batch.error().message));
    }
    if (!*batch) break;
  }
  next_offset_ = slice->next_offset;
  return slice->batches.bytes();
}

}  // namespace cohort::storage
