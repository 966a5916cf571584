// The batches of a shard that are not durable yet, in the order of the log, each with the replies that wait for it. The
// first may be on its way to the disk, the last is open for more records. Owned by ShardCore; pure.
//
// Why replies stand with their batch and not in a queue by offset: only whole batches become durable, so finding and
// releasing them costs nothing per reply.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/base/check.h"
#include "protocol/batch/batch_builder.h"
#include "protocol/batch/record_batch.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::runtime {

// More than the fields of a record take besides key and value: six varints of at most 5, one of 10, the attributes.
inline constexpr std::size_t kRecordOverheadBytes = 48;

template <typename Waiting>
class PendingBatches {
 public:
  struct Write {
    std::int64_t base_offset = 0;
    std::int64_t end_offset = 0;  // exclusive
    protocol::ByteBuffer bytes;
  };

  explicit PendingBatches(std::size_t max_batch_bytes) : max_batch_bytes_(max_batch_bytes) {}

  // Nothing waits; the next record gets this offset.
  void reset(std::int64_t durable_end) {
    batches_.clear();
    builder_.start();
    is_open_ = is_writing_ = false;
    bytes_ = 0;
    durable_end_ = next_offset_ = durable_end;
  }

  std::int64_t durable_end() const { return durable_end_; }  // all below is durable
  std::int64_t next_offset() const { return next_offset_; }
  bool empty() const { return batches_.empty(); }
  std::size_t bytes() const { return bytes_ + (is_open_ ? builder_.estimated_size() : 0); }

  // Whether records of so many bytes (keys, values and kRecordOverheadBytes each) can stand in one batch at all.
  bool can_hold(std::size_t record_bytes) const {
    return protocol::kBatchHeaderSize + record_bytes <= max_batch_bytes_;
  }
  // Closes the open batch if the records do not fit into what is left of it. Before: can_hold().
  void make_room(std::size_t record_bytes) {
    if (is_open_ && builder_.estimated_size() + record_bytes > max_batch_bytes_) close();
    if (is_open_) return;
    protocol::BatchOptions options;
    options.base_offset = next_offset_;
    builder_.start(options);
    Batch& batch = batches_.emplace_back();
    batch.base_offset = batch.end_offset = next_offset_;
    is_open_ = true;
  }
  // After make_room() for it. Returns the record's offset.
  std::int64_t append(std::int64_t timestamp_ms, protocol::NullableSpan key, protocol::NullableSpan value) {
    builder_.append(timestamp_ms, key, value);
    batches_.back().end_offset = next_offset_ + 1;
    return next_offset_++;
  }

  // Until the record at `offset` is durable. durable_end() <= offset < next_offset().
  void wait_for(std::int64_t offset, Waiting waiting) {
    COHORT_CHECK(offset >= durable_end_ && offset < next_offset_, "nothing to wait for");
    auto batch = batches_.rbegin();
    while (batch->base_offset > offset) ++batch;
    batch->waiting.push_back(std::move(waiting));
  }

  // The next batch for the log, unless one is being written or there is none.
  std::optional<Write> take() {
    if (is_writing_ || batches_.empty()) return std::nullopt;
    if (is_open_ && batches_.size() == 1) close();
    is_writing_ = true;
    Batch& batch = batches_.front();
    return Write{batch.base_offset, batch.end_offset, std::move(batch.bytes)};
  }
  bool is_writing() const { return is_writing_; }

  // The batch being written is durable: whoever waited for it.
  std::vector<Waiting> complete() {
    COHORT_CHECK(is_writing_, "no write to complete");
    is_writing_ = false;
    Batch batch = std::move(batches_.front());
    batches_.pop_front();
    bytes_ -= batch.size;
    durable_end_ = batch.end_offset;
    return std::move(batch.waiting);
  }

 private:
  struct Batch {
    std::int64_t base_offset = 0;
    std::int64_t end_offset = 0;
    std::size_t size = 0;        // 0 while open
    protocol::ByteBuffer bytes;  // empty while open and once it is being written
    std::vector<Waiting> waiting;
  };

  void close() {
    Batch& batch = batches_.back();
    auto bytes = builder_.release();
    COHORT_CHECK(bytes.has_value(), "an uncompressed batch cannot fail");
    batch.bytes = std::move(*bytes);
    batch.size = batch.bytes.size();
    bytes_ += batch.size;
    is_open_ = false;
  }

  const std::size_t max_batch_bytes_;
  std::deque<Batch> batches_;
  protocol::BatchBuilder builder_;  // of the last batch while is_open_
  bool is_open_ = false;
  bool is_writing_ = false;
  std::size_t bytes_ = 0;  // of closed batches
  std::int64_t durable_end_ = 0;
  std::int64_t next_offset_ = 0;
};

}  // namespace cohort::runtime
