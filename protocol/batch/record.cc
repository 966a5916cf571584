#include "protocol/batch/record.h"

#include <fmt/format.h>

#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_reader.h"

namespace cohort::protocol {
namespace {

// length, attributes, timestamp delta, offset delta, key length, value length, header count: a byte each.
constexpr std::size_t kSmallestRecord = 7;

// Wraps as Java's long does: deltas of hostile batches may point anywhere.
std::int64_t add(std::int64_t base, std::int64_t delta) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(delta));
}

// Any negative length is null, as in Kafka's DefaultRecord.
NullableSpan nullable_span(ByteReader& reader) {
  const std::int32_t size = reader.varint();
  if (size < 0) return std::nullopt;
  return reader.raw(static_cast<std::size_t>(size));
}

RecordHeader read_header(ByteReader& reader) {
  const std::int32_t key_size = reader.varint();
  if (key_size < 0) {
    reader.fail("a record header without a key");
    return {};
  }
  const auto key = reader.raw(static_cast<std::size_t>(key_size));
  return {.key = {reinterpret_cast<const char*>(key.data()), key.size()}, .value = nullable_span(reader)};
}

}  // namespace

void RecordHeaders::Iterator::read() {
  ByteReader reader(rest_);
  current_ = read_header(reader);
  rest_ = rest_.subspan(reader.offset());
}

Result<ControlRecordType> control_record_type(const RecordView& record) {
  if (!record.key) return fail(ErrorKind::kMalformed, "a control record without a key");
  ByteReader reader(*record.key);
  const std::int16_t version = reader.int16();
  const std::int16_t type = reader.int16();
  if (auto done = reader.status(); !done) return std::unexpected(std::move(done.error()));
  if (version < 0) return fail(ErrorKind::kMalformed, fmt::format("a control record of version {}", version));
  return static_cast<ControlRecordType>(type);
}

Result<std::span<const std::byte>> uncompressed_records(const BatchView& batch, std::size_t max_bytes,
                                                        ByteBuffer& scratch) {
  const auto compression = batch.compression();
  if (!compression) {
    return fail(ErrorKind::kUnsupported, fmt::format("unknown compression codec {}", batch.compression_id()));
  }
  const auto stored = batch.stored_records();
  const bool is_emptied = batch.records_count() == 0 && stored.empty();
  if (*compression == Compression::kNone || is_emptied) return stored;
  if (auto done = decompress(*compression, stored, max_bytes, scratch); !done) {
    return std::unexpected(std::move(done.error()));
  }
  return scratch.view();
}

RecordReader::RecordReader(const BatchHeader& batch, std::span<const std::byte> records)
    : rest_(records),
      base_offset_(batch.base_offset()),
      base_timestamp_(batch.base_timestamp()),
      log_append_time_(batch.max_timestamp()),
      base_sequence_(batch.base_sequence()),
      left_(batch.records_count()),
      is_log_append_time_(batch.timestamp_type() == TimestampType::kLogAppendTime) {}

Result<bool> RecordReader::next(RecordView& record) {
  if (left_ <= 0) {
    if (left_ < 0) return fail(ErrorKind::kMalformed, "a batch with a negative count of records");
    if (!rest_.empty()) return fail(ErrorKind::kMalformed, "bytes behind the last record of a batch");
    return false;
  }
  if (rest_.size() / kSmallestRecord < static_cast<std::size_t>(left_)) {
    return fail(ErrorKind::kMalformed, fmt::format("{} bytes cannot hold {} records", rest_.size(), left_));
  }
  ByteReader prefix(rest_);
  const std::int32_t body_size = prefix.varint();
  if (!prefix.ok() || body_size < 0 || static_cast<std::size_t>(body_size) > prefix.remaining()) {
    return fail(ErrorKind::kMalformed, fmt::format("a record of {} bytes, but only {} are there", body_size,
                                                   prefix.ok() ? prefix.remaining() : 0));
  }
  const std::size_t prefix_size = prefix.offset();
  const auto body = rest_.subspan(prefix_size, static_cast<std::size_t>(body_size));
  ByteReader reader(body);
  reader.int8();  // attributes; none is defined
  const std::int64_t timestamp_delta = reader.varlong();
  record.offset_delta = reader.varint();
  record.key = nullable_span(reader);
  record.value = nullable_span(reader);
  const std::int32_t header_count = reader.varint();
  if (header_count < 0 || static_cast<std::size_t>(header_count) > reader.remaining() / 2) {
    reader.fail("a count of record headers that cannot be");
  }
  const std::size_t headers_at = reader.ok() ? reader.offset() : 0;
  for (std::int32_t i = 0; i < header_count && reader.ok(); ++i) read_header(reader);
  if (!reader.ok() || reader.remaining() != 0) return std::unexpected(std::move(reader.finish().error()));

  record.headers = header_count == 0 ? RecordHeaders() : RecordHeaders(body.subspan(headers_at), header_count);
  record.size_in_bytes = prefix_size + body.size();
  record.offset = add(base_offset_, record.offset_delta);
  record.timestamp_ms = is_log_append_time_ ? log_append_time_ : add(base_timestamp_, timestamp_delta);
  record.sequence = base_sequence_ < 0 ? kNoSequence : increment_sequence(base_sequence_, record.offset_delta);
  rest_ = rest_.subspan(record.size_in_bytes);
  --left_;
  return true;
}

}  // namespace cohort::protocol
