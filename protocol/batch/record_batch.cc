#include "protocol/batch/record_batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/check.h"
#include "protocol/batch/crc32c.h"

namespace cohort::protocol {
namespace {

// What is left of a batch has at least one of its fields, so the checks take what is there: the length stands before
// the magic, and neither may pass for an incomplete batch when it is nonsense.
Result<void> check_length_and_magic(std::span<const std::byte> bytes, std::size_t max_batch_size) {
  if (bytes.size() < kBatchLogOverhead) return {};
  const auto length = load_big_endian<std::int32_t>(bytes.data() + batch_layout::kBatchLength);
  if (length < static_cast<std::int32_t>(kBatchHeaderSize - kBatchLogOverhead)) {
    return fail(ErrorKind::kMalformed, fmt::format("a batch length of {} is less than its header", length));
  }
  if (static_cast<std::size_t>(length) + kBatchLogOverhead > max_batch_size) {
    return fail(ErrorKind::kTooLarge, fmt::format("a batch of {} bytes, where {} are allowed",
                                                  length + std::int64_t{kBatchLogOverhead}, max_batch_size));
  }
  if (bytes.size() <= batch_layout::kMagic) return {};
  const auto magic = load_big_endian<std::int8_t>(bytes.data() + batch_layout::kMagic);
  if (magic != kBatchMagic) {
    return fail(ErrorKind::kMalformed, fmt::format("a batch of format {}, only {} is known", magic, kBatchMagic));
  }
  return {};
}

// Compaction takes records out of an offset range, nothing ever puts more in than it has offsets.
Result<void> check_counts(const BatchHeader& header) {
  const std::int32_t count = header.records_count();
  const std::int32_t delta = header.last_offset_delta();
  if (count >= 0 && delta >= 0 && count - 1 <= delta) return {};
  return fail(ErrorKind::kMalformed, fmt::format("a batch of {} records with a last offset delta of {}", count, delta));
}

template <std::integral T>
void store(std::span<std::byte> batch, std::size_t at, T value) {
  store_big_endian(batch.data() + at, value);
}

void store_crc(std::span<std::byte> batch) {
  store(batch, batch_layout::kCrc, crc32c(batch.subspan(batch_layout::kAttributes)));
}

}  // namespace

std::int32_t increment_sequence(std::int32_t sequence, std::int32_t increment) {
  constexpr std::int64_t kSequences = std::int64_t{1} << 31;
  return static_cast<std::int32_t>((std::int64_t{sequence} + increment) & (kSequences - 1));
}

std::uint32_t BatchView::computed_crc() const {
  return crc32c(bytes().subspan(batch_layout::kAttributes));
}

Result<BatchHeader> parse_batch_header(std::span<const std::byte> bytes, std::size_t max_batch_size) {
  if (bytes.size() < kBatchHeaderSize) {
    return fail(ErrorKind::kMalformed, fmt::format("{} bytes are too few for a batch header", bytes.size()));
  }
  if (auto done = check_length_and_magic(bytes, max_batch_size); !done) return std::unexpected(std::move(done.error()));
  const BatchHeader header(bytes.data());
  if (auto done = check_counts(header); !done) return std::unexpected(std::move(done.error()));
  return header;
}

Result<BatchView> parse_batch(std::span<const std::byte> bytes, std::size_t max_batch_size) {
  if (bytes.size() < kBatchHeaderSize) {
    return fail(ErrorKind::kMalformed, fmt::format("{} bytes are too few for a batch header", bytes.size()));
  }
  if (auto done = check_length_and_magic(bytes, max_batch_size); !done) return std::unexpected(std::move(done.error()));
  const std::size_t size = BatchHeader(bytes.data()).size_in_bytes();
  if (size > bytes.size()) {
    return fail(ErrorKind::kMalformed, fmt::format("a batch of {} bytes, but only {} are there", size, bytes.size()));
  }
  const BatchView batch(bytes.first(size));
  if (const std::uint32_t computed = batch.computed_crc(); computed != batch.crc()) {
    return fail(ErrorKind::kCorrupt,
                fmt::format("the checksum of a batch is {:08x}, its header says {:08x}", computed, batch.crc()));
  }
  if (auto done = check_counts(batch); !done) return std::unexpected(std::move(done.error()));
  return batch;
}

Result<std::optional<BatchView>> BatchReader::next() {
  const auto rest = bytes_.subspan(position_);
  if (auto done = check_length_and_magic(rest, max_batch_size_); !done) return std::unexpected(std::move(done.error()));
  if (rest.size() < kBatchHeaderSize || BatchHeader(rest.data()).size_in_bytes() > rest.size()) return std::nullopt;
  auto batch = parse_batch(rest, max_batch_size_);
  if (!batch) return std::unexpected(std::move(batch.error()));
  position_ += batch->size_in_bytes();
  return *batch;
}

void set_base_offset(std::span<std::byte> batch, std::int64_t base_offset) {
  store(batch, batch_layout::kBaseOffset, base_offset);
}

void set_partition_leader_epoch(std::span<std::byte> batch, std::int32_t epoch) {
  store(batch, batch_layout::kPartitionLeaderEpoch, epoch);
}

void set_max_timestamp(std::span<std::byte> batch, TimestampType type, std::int64_t max_timestamp_ms) {
  const BatchHeader header(batch.data());
  if (header.timestamp_type() == type && header.max_timestamp() == max_timestamp_ms) return;
  const auto attributes = static_cast<std::int16_t>((header.attributes() & ~kTimestampTypeBit) |
                                                    (type == TimestampType::kLogAppendTime ? kTimestampTypeBit : 0));
  store(batch, batch_layout::kAttributes, attributes);
  store(batch, batch_layout::kMaxTimestamp, max_timestamp_ms);
  store_crc(batch);
}

void write_batch_header(std::span<std::byte> batch, const BatchFields& fields) {
  CHECK(batch.size() >= kBatchHeaderSize && batch.size() <= kMaxBatchSize, "not the size of a batch");
  const auto attributes = static_cast<std::int16_t>(
      static_cast<int>(fields.compression) |
      (fields.timestamp_type == TimestampType::kLogAppendTime ? kTimestampTypeBit : 0) |
      (fields.is_transactional ? kTransactionalBit : 0) | (fields.is_control ? kControlBit : 0) |
      (fields.has_delete_horizon ? kDeleteHorizonBit : 0));
  store(batch, batch_layout::kBaseOffset, fields.base_offset);
  store(batch, batch_layout::kBatchLength, static_cast<std::int32_t>(batch.size() - kBatchLogOverhead));
  store(batch, batch_layout::kPartitionLeaderEpoch, fields.partition_leader_epoch);
  store(batch, batch_layout::kMagic, kBatchMagic);
  store(batch, batch_layout::kAttributes, attributes);
  store(batch, batch_layout::kLastOffsetDelta, fields.last_offset_delta);
  store(batch, batch_layout::kBaseTimestamp, fields.base_timestamp);
  store(batch, batch_layout::kMaxTimestamp, fields.max_timestamp);
  store(batch, batch_layout::kProducerId, fields.producer_id);
  store(batch, batch_layout::kProducerEpoch, fields.producer_epoch);
  store(batch, batch_layout::kBaseSequence, fields.base_sequence);
  store(batch, batch_layout::kRecordsCount, fields.records_count);
  store_crc(batch);
}

}  // namespace cohort::protocol
