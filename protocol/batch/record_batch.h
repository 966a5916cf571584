// Record batches of format 2 (Kafka's DefaultRecordBatch): the layout, views, a reader over many batches, and the
// fields that a log assigns. Owner: the caller owns the bytes; everything here borrows them. Threads: any (values).
// Lifetime: a view dies with its bytes. Why views and not a decoded struct: a batch travels from the socket to the disk
// and back as it is; only few of its fields are ever looked at.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "protocol/base/result.h"
#include "protocol/batch/compression.h"
#include "protocol/wire/big_endian.h"

namespace cohort::protocol {

// Where the fields stand, in bytes from the start of the batch. All integers are big-endian.
namespace batch_layout {
inline constexpr std::size_t kBaseOffset = 0;             // int64
inline constexpr std::size_t kBatchLength = 8;            // int32, bytes that follow this field
inline constexpr std::size_t kPartitionLeaderEpoch = 12;  // int32
inline constexpr std::size_t kMagic = 16;                 // int8
inline constexpr std::size_t kCrc = 17;                   // uint32 over everything from kAttributes on
inline constexpr std::size_t kAttributes = 21;            // int16
inline constexpr std::size_t kLastOffsetDelta = 23;       // int32
inline constexpr std::size_t kBaseTimestamp = 27;         // int64
inline constexpr std::size_t kMaxTimestamp = 35;          // int64
inline constexpr std::size_t kProducerId = 43;            // int64
inline constexpr std::size_t kProducerEpoch = 51;         // int16
inline constexpr std::size_t kBaseSequence = 53;          // int32
inline constexpr std::size_t kRecordsCount = 57;          // int32
inline constexpr std::size_t kRecords = 61;               // the records, compressed as one piece or not at all
}  // namespace batch_layout

inline constexpr std::size_t kBatchHeaderSize = batch_layout::kRecords;
inline constexpr std::size_t kBatchLogOverhead = 12;  // what batch_length does not count
inline constexpr std::size_t kMaxBatchSize = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int8_t kBatchMagic = 2;

// Attribute bits.
inline constexpr std::int16_t kCompressionMask = 0x07;
inline constexpr std::int16_t kTimestampTypeBit = 0x08;
inline constexpr std::int16_t kTransactionalBit = 0x10;
inline constexpr std::int16_t kControlBit = 0x20;
inline constexpr std::int16_t kDeleteHorizonBit = 0x40;

inline constexpr std::int64_t kNoTimestamp = -1;
inline constexpr std::int64_t kNoProducerId = -1;
inline constexpr std::int16_t kNoProducerEpoch = -1;
inline constexpr std::int32_t kNoSequence = -1;
inline constexpr std::int32_t kNoPartitionLeaderEpoch = -1;

enum class TimestampType : std::uint8_t { kCreateTime = 0, kLogAppendTime = 1 };

// Sequences wrap from 2^31-1 to 0. Both arguments are not negative.
std::int32_t increment_sequence(std::int32_t sequence, std::int32_t increment);

// A view of the 61 header bytes. What it says is only as true as the checks made before: see parse_batch_header and
// parse_batch.
class BatchHeader {
 public:
  // Precondition: at least kBatchHeaderSize bytes.
  explicit BatchHeader(const std::byte* bytes) : bytes_(bytes) {}

  std::int64_t base_offset() const { return load<std::int64_t>(batch_layout::kBaseOffset); }
  std::int32_t batch_length() const { return load<std::int32_t>(batch_layout::kBatchLength); }
  std::int32_t partition_leader_epoch() const { return load<std::int32_t>(batch_layout::kPartitionLeaderEpoch); }
  std::int8_t magic() const { return load<std::int8_t>(batch_layout::kMagic); }
  std::uint32_t crc() const { return load<std::uint32_t>(batch_layout::kCrc); }
  std::int16_t attributes() const { return load<std::int16_t>(batch_layout::kAttributes); }
  std::int32_t last_offset_delta() const { return load<std::int32_t>(batch_layout::kLastOffsetDelta); }
  std::int64_t base_timestamp() const { return load<std::int64_t>(batch_layout::kBaseTimestamp); }
  std::int64_t max_timestamp() const { return load<std::int64_t>(batch_layout::kMaxTimestamp); }
  std::int64_t producer_id() const { return load<std::int64_t>(batch_layout::kProducerId); }
  std::int16_t producer_epoch() const { return load<std::int16_t>(batch_layout::kProducerEpoch); }
  std::int32_t base_sequence() const { return load<std::int32_t>(batch_layout::kBaseSequence); }
  std::int32_t records_count() const { return load<std::int32_t>(batch_layout::kRecordsCount); }

  // The codec's number as it stands in the attributes, 0 to 7.
  std::uint8_t compression_id() const { return static_cast<std::uint8_t>(attributes() & kCompressionMask); }
  // nullopt for the numbers 5 to 7, which no codec has.
  std::optional<Compression> compression() const {
    if (compression_id() > static_cast<std::uint8_t>(Compression::kZstd)) return std::nullopt;
    return static_cast<Compression>(compression_id());
  }
  TimestampType timestamp_type() const {
    return (attributes() & kTimestampTypeBit) != 0 ? TimestampType::kLogAppendTime : TimestampType::kCreateTime;
  }
  bool is_transactional() const { return (attributes() & kTransactionalBit) != 0; }
  bool is_control() const { return (attributes() & kControlBit) != 0; }
  // When tombstones in this batch may go (compaction set it), in ms since the Unix epoch.
  std::optional<std::int64_t> delete_horizon_ms() const {
    if ((attributes() & kDeleteHorizonBit) == 0) return std::nullopt;
    return base_timestamp();
  }
  bool has_producer_id() const { return producer_id() > kNoProducerId; }
  // The whole batch, with the 12 bytes that batch_length does not count.
  std::size_t size_in_bytes() const {
    return static_cast<std::size_t>(std::int64_t{batch_length()} + std::int64_t{kBatchLogOverhead});
  }
  // Wraps when the base offset is near 2^63, as in Kafka; logs check base offsets before they assign them.
  std::int64_t last_offset() const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base_offset()) +
                                     static_cast<std::uint64_t>(std::int64_t{last_offset_delta()}));
  }
  std::int32_t last_sequence() const {
    return base_sequence() < 0 ? kNoSequence : increment_sequence(base_sequence(), last_offset_delta());
  }

 protected:
  const std::byte* bytes_;

 private:
  template <std::integral T>
  T load(std::size_t at) const {
    return load_big_endian<T>(bytes_ + at);
  }
};

// A view of one whole batch. Made by parse_batch, BatchReader or BatchBuilder, so the size is right and the magic is 2.
class BatchView : public BatchHeader {
 public:
  // Precondition: a whole batch and nothing more.
  explicit BatchView(std::span<const std::byte> batch) : BatchHeader(batch.data()), size_(batch.size()) {}

  std::span<const std::byte> bytes() const { return {bytes_, size_}; }
  // The records as stored, compressed or not.
  std::span<const std::byte> stored_records() const { return bytes().subspan(kBatchHeaderSize); }
  std::uint32_t computed_crc() const;

 private:
  std::size_t size_;
};

// Checks what the header alone can tell: 61 bytes are there, the length is at least a header's and at most
// max_batch_size in all, the magic is 2, records_count and last_offset_delta are not negative. kMalformed otherwise,
// kTooLarge for a longer batch. No CRC: a log uses it to walk a file that it trusts.
Result<BatchHeader> parse_batch_header(std::span<const std::byte> bytes, std::size_t max_batch_size = kMaxBatchSize);

// The batch at the start of the bytes, which may go on behind it. Checks size, magic, then CRC (kCorrupt). Does not
// look into the records.
Result<BatchView> parse_batch(std::span<const std::byte> bytes, std::size_t max_batch_size = kMaxBatchSize);

// Walks over batches that lie one after the other (a Produce body, a Fetch answer, a piece of a segment).
//   while (true) { auto batch = reader.next(); if (!batch) -> corrupt at reader.position(); if (!*batch) break;
//   use(**batch); } reader.remaining() > 0 afterwards: an incomplete batch stands at the end.
class BatchReader {
 public:
  explicit BatchReader(std::span<const std::byte> bytes, std::size_t max_batch_size = kMaxBatchSize)
      : bytes_(bytes), max_batch_size_(max_batch_size) {}

  // The next batch, with its CRC checked; nullopt at the end or before an incomplete batch; an error, then and on each
  // further call, when the bytes cannot be the start of a batch: a length below a header's or above max_batch_size,
  // another magic, a wrong CRC.
  Result<std::optional<BatchView>> next();

  std::size_t position() const { return position_; }                   // bytes in whole, sound batches so far
  std::size_t remaining() const { return bytes_.size() - position_; }  // bytes behind them

 private:
  std::span<const std::byte> bytes_;
  std::size_t max_batch_size_;
  std::size_t position_ = 0;
};

// What a log assigns, in place. Precondition of all: the bytes are one batch that parse_batch accepted. Neither base
// offset nor leader epoch is covered by the CRC.
void set_base_offset(std::span<std::byte> batch, std::int64_t base_offset);
void set_partition_leader_epoch(std::span<std::byte> batch, std::int32_t epoch);
// Computes the CRC anew, but only if something changes (Kafka's setMaxTimestamp). LogAppendTime: readers report this
// time for each record.
void set_max_timestamp(std::span<std::byte> batch, TimestampType type, std::int64_t max_timestamp_ms);

// The header as plain values, for those who write batches.
struct BatchFields {
  std::int64_t base_offset = 0;
  std::int32_t partition_leader_epoch = kNoPartitionLeaderEpoch;
  Compression compression = Compression::kNone;
  TimestampType timestamp_type = TimestampType::kCreateTime;
  bool is_transactional = false;
  bool is_control = false;
  bool has_delete_horizon = false;  // base_timestamp is then the horizon
  std::int32_t last_offset_delta = 0;
  std::int64_t base_timestamp = kNoTimestamp;  // ms since the Unix epoch, as max_timestamp
  std::int64_t max_timestamp = kNoTimestamp;
  std::int64_t producer_id = kNoProducerId;
  std::int16_t producer_epoch = kNoProducerEpoch;
  std::int32_t base_sequence = kNoSequence;
  std::int32_t records_count = 0;
};

// Writes header, length and CRC before the records that already stand at kBatchHeaderSize. With a span of just
// kBatchHeaderSize bytes: the empty batch that compaction leaves for a producer's state. Precondition: kBatchHeaderSize
// to kMaxBatchSize bytes.
void write_batch_header(std::span<std::byte> batch, const BatchFields& fields);

}  // namespace cohort::protocol
