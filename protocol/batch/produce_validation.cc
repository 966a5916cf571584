#include "protocol/batch/produce_validation.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/batch/record.h"

namespace cohort::protocol {
namespace {

constexpr std::int16_t kFirstVersionWithZstd = 7;
constexpr std::int32_t kSmallestBatchLength = 14;  // of any format (LegacyRecord.RECORD_OVERHEAD_V0)

using Checked = std::expected<void, ProduceError>;

std::unexpected<ProduceError> refuse(ErrorCode code, std::string message) {
  return std::unexpected(ProduceError{code, std::move(message), {}});
}

// The bytes of the whole batch at the start, of any format; empty if there is none (ByteBufferLogInputStream).
std::expected<std::span<const std::byte>, ProduceError> first_batch(std::span<const std::byte> bytes) {
  if (bytes.size() < kBatchLogOverhead) return std::span<const std::byte>();
  const auto length = load_big_endian<std::int32_t>(bytes.data() + batch_layout::kBatchLength);
  if (length < kSmallestBatchLength) {
    return refuse(ErrorCode::kCorruptMessage, fmt::format("A batch length of {} is too small.", length));
  }
  if (bytes.size() <= batch_layout::kMagic) return std::span<const std::byte>();
  const auto magic = load_big_endian<std::int8_t>(bytes.data() + batch_layout::kMagic);
  if (magic < 0 || magic > kBatchMagic) {
    return refuse(ErrorCode::kCorruptMessage, fmt::format("There is no batch format {}.", magic));
  }
  const std::size_t size = static_cast<std::size_t>(length) + kBatchLogOverhead;
  return size <= bytes.size() ? bytes.first(size) : std::span<const std::byte>();
}

// ProduceRequest.validateRecords.
std::expected<BatchView, ProduceError> only_batch(std::span<const std::byte> records, const ProduceRules& rules) {
  const auto bytes = first_batch(records);
  if (!bytes) return std::unexpected(bytes.error());
  if (bytes->empty()) return refuse(ErrorCode::kInvalidRecord, "There is no whole record batch.");
  if (load_big_endian<std::int8_t>(bytes->data() + batch_layout::kMagic) != kBatchMagic) {
    return refuse(ErrorCode::kInvalidRecord, "Only record batches of format 2 are accepted.");
  }
  if (bytes->size() < kBatchHeaderSize) {
    return refuse(ErrorCode::kCorruptMessage, "The record batch is shorter than its header.");
  }
  const BatchView batch(*bytes);
  if (!batch.compression()) {
    return refuse(ErrorCode::kUnsupportedCompressionType,
                  fmt::format("There is no compression codec {}.", batch.compression_id()));
  }
  if (*batch.compression() == Compression::kZstd && rules.produce_version < kFirstVersionWithZstd) {
    return refuse(ErrorCode::kUnsupportedCompressionType,
                  fmt::format("Produce version {} does not allow zstd.", rules.produce_version));
  }
  const auto second = first_batch(records.subspan(bytes->size()));
  if (!second) return std::unexpected(second.error());
  if (!second->empty()) {
    return refuse(ErrorCode::kInvalidRecord, "Only one record batch per partition is accepted.");
  }
  return batch;
}

// UnifiedLog.analyzeAndValidateRecords.
Checked check_frame(const BatchView& batch, const ProduceRules& rules) {
  if (batch.base_offset() != 0) {
    return refuse(ErrorCode::kInvalidRecord,
                  fmt::format("The base offset of a new batch must be 0, not {}.", batch.base_offset()));
  }
  if (batch.size_in_bytes() > rules.max_message_bytes) {
    return refuse(ErrorCode::kMessageTooLarge, fmt::format("The record batch has {} bytes, the limit is {}.",
                                                           batch.size_in_bytes(), rules.max_message_bytes));
  }
  if (batch.computed_crc() != batch.crc()) {
    return refuse(ErrorCode::kCorruptMessage,
                  fmt::format("The checksum of the record batch is not {:08x}.", batch.crc()));
  }
  return {};
}

// LogValidator.validateBatch for AppendOrigin.CLIENT.
Checked check_header(const BatchView& batch) {
  const std::int64_t offsets = std::int64_t{batch.last_offset_delta()} + 1;
  if (offsets <= 0) {
    return refuse(ErrorCode::kInvalidRecord,
                  fmt::format("The record batch has a last offset delta of {}.", batch.last_offset_delta()));
  }
  if (batch.records_count() <= 0) {
    return refuse(ErrorCode::kInvalidRecord, fmt::format("The record batch counts {} records.", batch.records_count()));
  }
  if (offsets != batch.records_count()) {
    return refuse(ErrorCode::kInvalidRecord, fmt::format("The record batch has {} offsets but counts {} records.",
                                                         offsets, batch.records_count()));
  }
  if (batch.is_control()) {
    return refuse(ErrorCode::kInvalidRecord, "Clients must not write control records.");
  }
  if (batch.has_producer_id() && batch.base_sequence() < 0) {
    return refuse(ErrorCode::kInvalidRecord,
                  fmt::format("Sequence {} of producer {} is not valid.", batch.base_sequence(), batch.producer_id()));
  }
  // Kafka notices this only for some records; no client has the right to say when the broker appended.
  if (batch.timestamp_type() == TimestampType::kLogAppendTime) {
    return refuse(ErrorCode::kInvalidTimestamp, "A client must not set the timestamp type LogAppendTime.");
  }
  return {};
}

ProduceError unreadable(Error error) {
  switch (error.kind) {
    case ErrorKind::kTooLarge:  // clients then split the batch
      return {ErrorCode::kMessageTooLarge, std::move(error.message), {}};
    case ErrorKind::kUnsupported:
      return {ErrorCode::kUnsupportedCompressionType, std::move(error.message), {}};
    default:  // the checksum was right: the client wrote it so, and sending it again will not help
      return {ErrorCode::kInvalidRecord, std::move(error.message), {}};
  }
}

// a - b, at the end of the range rather than beyond it.
std::int64_t saturating_difference(std::int64_t a, std::int64_t b) {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

// LogValidator.validateRecord. Gathers what is wrong with single records, so that the client sees more than the first.
class RecordChecks {
 public:
  explicit RecordChecks(const ProduceRules& rules) : rules_(rules) {}

  void look_at(std::int32_t index, const RecordView& record) {
    if (record.offset_delta != index) {
      add(ErrorCode::kInvalidRecord, index, fmt::format("offset delta {} where {} is due", record.offset_delta, index));
    } else if (rules_.is_compacted && !record.key) {
      add(ErrorCode::kInvalidRecord, index, "a record of a compacted topic needs a key");
    } else if (rules_.timestamp_type == TimestampType::kCreateTime && record.timestamp_ms != kNoTimestamp &&
               is_out_of_range(record.timestamp_ms)) {
      add(ErrorCode::kInvalidTimestamp, index,
          fmt::format("timestamp {} is too far from the broker's time {}", record.timestamp_ms, rules_.now_ms));
    }
    if (record.timestamp_ms > max_timestamp_ms_) {
      max_timestamp_ms_ = record.timestamp_ms;
      max_timestamp_index_ = index;
    }
  }

  Checked result() {
    if (errors_ == 0) return {};
    auto message =
        fmt::format("{} of the records cannot be accepted, the first: {}.", errors_, listed_.front().message);
    return std::unexpected(ProduceError{code_, std::move(message), std::move(listed_)});
  }
  std::int64_t max_timestamp_ms() const { return max_timestamp_ms_; }
  std::int32_t max_timestamp_index() const { return max_timestamp_index_; }

 private:
  bool is_out_of_range(std::int64_t timestamp_ms) const {
    return saturating_difference(rules_.now_ms, timestamp_ms) > rules_.timestamp_before_max_ms ||
           saturating_difference(timestamp_ms, rules_.now_ms) > rules_.timestamp_after_max_ms;
  }
  void add(ErrorCode code, std::int32_t index, std::string message) {
    // A bad timestamp among the errors decides the code (LogValidator.processRecordErrors).
    if (errors_ == 0 || code == ErrorCode::kInvalidTimestamp) code_ = code;
    ++errors_;
    if (listed_.size() < kMaxRecordErrors) listed_.push_back({index, std::move(message)});
  }

  const ProduceRules& rules_;
  std::int64_t max_timestamp_ms_ = kNoTimestamp;
  std::int32_t max_timestamp_index_ = 0;
  ErrorCode code_ = ErrorCode::kNone;
  std::size_t errors_ = 0;
  std::vector<RecordError> listed_;
};

}  // namespace

std::expected<ProducedBatch, ProduceError> validate_produced_batch(std::span<const std::byte> records,
                                                                   const ProduceRules& rules, ByteBuffer& scratch) {
  const auto batch = only_batch(records, rules);
  if (!batch) return std::unexpected(batch.error());
  if (auto done = check_frame(*batch, rules); !done) return std::unexpected(std::move(done.error()));
  if (auto done = check_header(*batch); !done) return std::unexpected(std::move(done.error()));

  RecordChecks checks(rules);
  std::int32_t index = 0;
  auto done = for_each_record(*batch, rules.max_decompressed_bytes, scratch,
                              [&](const RecordView& record) { checks.look_at(index++, record); });
  if (!done) return std::unexpected(unreadable(std::move(done.error())));
  if (auto result = checks.result(); !result) return std::unexpected(std::move(result.error()));

  if (rules.timestamp_type == TimestampType::kLogAppendTime) {
    return ProducedBatch{*batch, batch->records_count(), rules.now_ms, 0};
  }
  return ProducedBatch{*batch, batch->records_count(), checks.max_timestamp_ms(), checks.max_timestamp_index()};
}

}  // namespace cohort::protocol
