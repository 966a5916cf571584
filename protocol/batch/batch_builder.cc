#include "protocol/batch/batch_builder.h"

#include <bit>
#include <cstring>
#include <utility>

#include "protocol/base/check.h"

namespace cohort::protocol {
namespace {

constexpr std::size_t kMostVarint = 5;
constexpr std::size_t kMostVarlong = 10;
// Length, attributes, both deltas, key length, value length, header count at their longest.
constexpr std::size_t kMostOverhead = kMostVarint + 1 + kMostVarlong + kMostVarint + 3 * kMostVarint;

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

// A 32-bit value and the same value as 64 bits have the same zigzag varint, so one function serves both.
std::size_t varint_size(std::int64_t value) {
  return (static_cast<std::size_t>(std::bit_width(zigzag(value) | 1)) + 6) / 7;
}

std::byte* put_varint(std::byte* at, std::int64_t value) {
  std::uint64_t rest = zigzag(value);
  for (; rest >= 0x80; rest >>= 7) *at++ = static_cast<std::byte>(rest | 0x80);
  *at++ = static_cast<std::byte>(rest);
  return at;
}

std::byte* put_bytes(std::byte* at, std::span<const std::byte> bytes) {
  at = put_varint(at, static_cast<std::int64_t>(bytes.size()));
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

std::byte* put_nullable(std::byte* at, const NullableSpan& bytes) {
  return bytes ? put_bytes(at, *bytes) : put_varint(at, -1);
}

std::size_t sized(std::size_t size) {
  return varint_size(static_cast<std::int64_t>(size)) + size;
}
std::size_t nullable_size(const NullableSpan& bytes) {
  return bytes ? sized(bytes->size()) : 1;
}

std::size_t headers_size(std::span<const RecordHeader> headers) {
  std::size_t size = varint_size(static_cast<std::int64_t>(headers.size()));
  for (const RecordHeader& header : headers) size += sized(header.key.size()) + nullable_size(header.value);
  return size;
}

}  // namespace

BatchBuilder::BatchBuilder(std::size_t reserve_bytes) {
  buffer_.reserve(reserve_bytes);
  start();
}

void BatchBuilder::start(const BatchOptions& options) {
  options_ = options;
  records_count_ = 0;
  last_offset_delta_ = -1;
  base_timestamp_ = options.delete_horizon_ms.value_or(kNoTimestamp);
  max_timestamp_ = kNoTimestamp;
  buffer_.clear();
  std::memset(buffer_.prepare(kBatchHeaderSize), 0, kBatchHeaderSize);
  buffer_.commit(kBatchHeaderSize);
}

void BatchBuilder::append(std::int64_t timestamp_ms, NullableSpan key, NullableSpan value,
                          std::span<const RecordHeader> headers) {
  append_at(last_offset_delta_ + 1, timestamp_ms, key, value, headers);
}

void BatchBuilder::append_at(std::int32_t offset_delta, std::int64_t timestamp_ms, NullableSpan key, NullableSpan value,
                             std::span<const RecordHeader> headers) {
  CHECK(offset_delta > last_offset_delta_, "offsets in a batch go up");
  if (records_count_ == 0 && !options_.delete_horizon_ms) base_timestamp_ = timestamp_ms;
  // Wraps as Java's long does, so that readers that add it up get the same time back.
  const auto timestamp_delta =
      static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp_ms) - static_cast<std::uint64_t>(base_timestamp_));
  const std::size_t body_size = 1 + varint_size(timestamp_delta) + varint_size(offset_delta) + nullable_size(key) +
                                nullable_size(value) + headers_size(headers);
  const std::size_t record_size = sized(body_size);
  CHECK(buffer_.size() + record_size <= kMaxBatchSize, "a batch is larger than its format can say");

  std::byte* const begin = buffer_.prepare(record_size);
  std::byte* at = put_varint(begin, static_cast<std::int64_t>(body_size));
  *at++ = std::byte{0};  // attributes; none is defined
  at = put_varint(at, timestamp_delta);
  at = put_varint(at, offset_delta);
  at = put_nullable(at, key);
  at = put_nullable(at, value);
  at = put_varint(at, static_cast<std::int64_t>(headers.size()));
  for (const RecordHeader& header : headers) {
    at = put_bytes(at, std::as_bytes(std::span(header.key)));
    at = put_nullable(at, header.value);
  }
  CHECK(at == begin + record_size, "a record has another size than was reckoned");
  buffer_.commit(record_size);

  last_offset_delta_ = offset_delta;
  max_timestamp_ = std::max(max_timestamp_, timestamp_ms);
  ++records_count_;
}

std::size_t BatchBuilder::would_be_size(NullableSpan key, NullableSpan value,
                                        std::span<const RecordHeader> headers) const {
  return buffer_.size() + kMostOverhead + (key ? key->size() : 0) + (value ? value->size() : 0) + headers_size(headers);
}

Result<std::span<const std::byte>> BatchBuilder::finish() {
  if (empty()) return std::span<const std::byte>();
  ByteBuffer* batch = &buffer_;
  if (options_.compression != Compression::kNone) {
    compressed_.clear();
    compressed_.append(buffer_.view().first(kBatchHeaderSize));
    const auto records = buffer_.view().subspan(kBatchHeaderSize);
    if (auto done = compress(options_.compression, records, compressed_); !done) {
      return std::unexpected(std::move(done.error()));
    }
    batch = &compressed_;
  }
  write_batch_header(
      batch->mutable_view(),
      {.base_offset = options_.base_offset,
       .partition_leader_epoch = options_.partition_leader_epoch,
       .compression = options_.compression,
       .timestamp_type = options_.log_append_time_ms ? TimestampType::kLogAppendTime : TimestampType::kCreateTime,
       .is_transactional = options_.is_transactional,
       .is_control = options_.is_control,
       .has_delete_horizon = options_.delete_horizon_ms.has_value(),
       .last_offset_delta = options_.last_offset_delta.value_or(last_offset_delta_),
       .base_timestamp = base_timestamp_,
       .max_timestamp = options_.log_append_time_ms.value_or(max_timestamp_),
       .producer_id = options_.producer_id,
       .producer_epoch = options_.producer_epoch,
       .base_sequence = options_.base_sequence,
       .records_count = records_count_});
  return batch->view();
}

Result<ByteBuffer> BatchBuilder::release() {
  auto batch = finish();
  if (!batch) return std::unexpected(std::move(batch.error()));
  ByteBuffer bytes;
  if (!batch->empty()) {
    bytes = std::exchange(options_.compression == Compression::kNone ? buffer_ : compressed_, ByteBuffer());
  }
  start();
  return bytes;
}

}  // namespace cohort::protocol
