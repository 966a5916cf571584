// batches.jsonl: record batches as Kafka writes them. Read and compared with what Kafka reads; those that an encoder
// can reproduce are built again, byte for byte.
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/batch/batch_builder.h"
#include "protocol/batch/record.h"
#include "protocol/batch/record_batch.h"
#include "protocol/wire/byte_buffer.h"
#include "tests/golden/vectors.h"

namespace cohort::protocol {
namespace {

using nlohmann::json;
using ByteVector = std::vector<std::byte>;

constexpr std::size_t kLimit = 1 << 20;

std::string hex_or_null(const NullableSpan& bytes) {
  return bytes ? golden::to_hex(*bytes) : "null";
}
std::string hex_or_null(const json& value) {
  return value.is_null() ? "null" : value.get<std::string>();
}

void compare_header(const BatchView& batch, const json& expected) {
  CHECK(batch.base_offset() == expected.at("baseOffset").get<std::int64_t>());
  CHECK(batch.batch_length() == expected.at("batchLength").get<std::int32_t>());
  CHECK(batch.partition_leader_epoch() == expected.at("partitionLeaderEpoch").get<std::int32_t>());
  CHECK(batch.magic() == expected.at("magic").get<int>());
  CHECK(batch.crc() == expected.at("crc").get<std::uint32_t>());
  CHECK(batch.attributes() == expected.at("attributes").get<std::int16_t>());
  CHECK(compression_name(batch.compression().value()) == expected.at("compression").get<std::string>());
  CHECK((batch.timestamp_type() == TimestampType::kLogAppendTime ? "LogAppendTime" : "CreateTime") ==
        expected.at("timestampType").get<std::string>());
  CHECK(batch.is_transactional() == expected.at("isTransactional").get<bool>());
  CHECK(batch.is_control() == expected.at("isControl").get<bool>());
  const json& horizon = expected.at("deleteHorizonMs");
  CHECK(batch.delete_horizon_ms().has_value() == !horizon.is_null());
  if (!horizon.is_null()) CHECK(batch.delete_horizon_ms() == horizon.get<std::int64_t>());
  CHECK(batch.last_offset_delta() == expected.at("lastOffsetDelta").get<std::int32_t>());
  CHECK(batch.last_offset() == expected.at("lastOffset").get<std::int64_t>());
  CHECK(batch.base_timestamp() == expected.at("baseTimestamp").get<std::int64_t>());
  CHECK(batch.max_timestamp() == expected.at("maxTimestamp").get<std::int64_t>());
  CHECK(batch.producer_id() == expected.at("producerId").get<std::int64_t>());
  CHECK(batch.producer_epoch() == expected.at("producerEpoch").get<std::int16_t>());
  CHECK(batch.base_sequence() == expected.at("baseSequence").get<std::int32_t>());
  CHECK(batch.last_sequence() == expected.at("lastSequence").get<std::int32_t>());
  CHECK(batch.records_count() == expected.at("recordsCount").get<std::int32_t>());
}

void compare_record(const RecordView& record, const json& expected) {
  CHECK(record.offset == expected.at("offset").get<std::int64_t>());
  CHECK(record.offset_delta == expected.at("offsetDelta").get<std::int32_t>());
  CHECK(record.timestamp_ms == expected.at("timestamp").get<std::int64_t>());
  CHECK(record.sequence == expected.at("sequence").get<std::int32_t>());
  CHECK(record.size_in_bytes == expected.at("sizeInBytes").get<std::size_t>());
  CHECK(hex_or_null(record.key) == hex_or_null(expected.at("key")));
  CHECK(hex_or_null(record.value) == hex_or_null(expected.at("value")));
  const json& headers = expected.at("headers");
  REQUIRE(static_cast<std::size_t>(record.headers.size()) == headers.size());
  std::size_t index = 0;
  for (const RecordHeader& header : record.headers) {
    CHECK(header.key == headers.at(index).at("key").get<std::string>());
    CHECK(hex_or_null(header.value) == hex_or_null(headers.at(index).at("value")));
    ++index;
  }
  if (expected.contains("controlType")) {
    const auto type = control_record_type(record);
    REQUIRE(type);
    CHECK(static_cast<std::int16_t>(*type) == expected.at("controlType").get<std::int16_t>());
  }
}

// The batches of a valid line, and how many bytes are left behind them.
void compare_line(const json& line, const ByteVector& bytes) {
  BatchReader reader(bytes);
  ByteBuffer scratch;
  for (const json& expected : line.at("batches")) {
    const auto next = reader.next();
    REQUIRE(next);
    REQUIRE(next->has_value());
    const BatchView& batch = **next;
    compare_header(batch, expected);
    const json& records = expected.at("records");
    std::size_t index = 0;
    const auto done = for_each_record(batch, kLimit, scratch, [&](const RecordView& record) {
      REQUIRE(index < records.size());
      compare_record(record, records.at(index++));
    });
    REQUIRE(done);
    CHECK(index == records.size());
  }
  const auto end = reader.next();
  REQUIRE(end);
  CHECK_FALSE(end->has_value());
  CHECK(reader.remaining() == line.value("trailingBytes", std::size_t{0}));
}

// Under LogAppendTime a reader does not see the times that went into the deltas; the note of the line lists them.
std::vector<std::int64_t> times_to_write(const json& line, const json& batch) {
  std::vector<std::int64_t> times;
  constexpr std::string_view kIntro = "original timestamps: ";
  const std::string note = line.value("note", std::string());
  if (const auto at = note.find(kIntro); at != std::string::npos) {
    return json::parse(note.substr(at + kIntro.size())).get<std::vector<std::int64_t>>();
  }
  for (const json& record : batch.at("records")) times.push_back(record.at("timestamp").get<std::int64_t>());
  return times;
}

BatchOptions options_of(const json& batch) {
  BatchOptions options{.base_offset = batch.at("baseOffset").get<std::int64_t>(),
                       .partition_leader_epoch = batch.at("partitionLeaderEpoch").get<std::int32_t>(),
                       .is_transactional = batch.at("isTransactional").get<bool>(),
                       .is_control = batch.at("isControl").get<bool>(),
                       .producer_id = batch.at("producerId").get<std::int64_t>(),
                       .producer_epoch = batch.at("producerEpoch").get<std::int16_t>(),
                       .base_sequence = batch.at("baseSequence").get<std::int32_t>()};
  const auto max_timestamp = batch.at("maxTimestamp").get<std::int64_t>();
  if (batch.at("timestampType") == "LogAppendTime") options.log_append_time_ms = max_timestamp;
  const json& horizon = batch.at("deleteHorizonMs");
  if (!horizon.is_null()) options.delete_horizon_ms = horizon.get<std::int64_t>();
  return options;
}

// What compaction leaves of a batch without records.
ByteVector rebuild_emptied(const json& batch) {
  const BatchOptions options = options_of(batch);
  ByteVector bytes(kBatchHeaderSize);
  write_batch_header(
      bytes, {.base_offset = options.base_offset,
              .partition_leader_epoch = options.partition_leader_epoch,
              .timestamp_type = options.log_append_time_ms ? TimestampType::kLogAppendTime : TimestampType::kCreateTime,
              .is_transactional = options.is_transactional,
              .is_control = options.is_control,
              .last_offset_delta = batch.at("lastOffsetDelta").get<std::int32_t>(),
              .base_timestamp = batch.at("baseTimestamp").get<std::int64_t>(),
              .max_timestamp = batch.at("maxTimestamp").get<std::int64_t>(),
              .producer_id = options.producer_id,
              .producer_epoch = options.producer_epoch,
              .base_sequence = options.base_sequence});
  return bytes;
}

ByteVector rebuild(const json& line, const json& batch, BatchBuilder& builder) {
  const json& records = batch.at("records");
  if (records.empty()) return rebuild_emptied(batch);
  const auto times = times_to_write(line, batch);
  REQUIRE(times.size() == records.size());
  builder.start(options_of(batch));
  for (std::size_t i = 0; i < records.size(); ++i) {
    const json& record = records.at(i);
    const auto bytes_of = [](const json& value) {
      return value.is_null() ? std::optional<ByteVector>() : golden::from_hex(value.get<std::string>());
    };
    const auto span_of = [](const std::optional<ByteVector>& bytes) {
      return bytes ? NullableSpan(*bytes) : NullableSpan();
    };
    std::vector<std::string> keys;
    std::vector<std::optional<ByteVector>> values;
    for (const json& header : record.at("headers")) {
      keys.push_back(header.at("key").get<std::string>());
      values.push_back(bytes_of(header.at("value")));
    }
    std::vector<RecordHeader> headers;
    for (std::size_t k = 0; k < keys.size(); ++k) headers.push_back({keys[k], span_of(values[k])});
    const auto key = bytes_of(record.at("key"));
    const auto value = bytes_of(record.at("value"));
    builder.append_at(record.at("offsetDelta").get<std::int32_t>(), times[i], span_of(key), span_of(value), headers);
  }
  const auto bytes = builder.finish();
  REQUIRE(bytes);
  return {bytes->begin(), bytes->end()};
}

TEST_CASE("golden: record batches are read, refused and rebuilt as in Kafka") {
  std::size_t lines = 0;
  std::size_t refused = 0;
  std::size_t rebuilt = 0;
  BatchBuilder builder;
  golden::for_each_vector("batches", [&](const json& line) {
    INFO("case " << line.at("case").get<std::string>());
    const ByteVector bytes = golden::from_hex(line.at("hex").get<std::string>());
    ++lines;
    if (!line.at("valid").get<bool>()) {
      const auto batch = parse_batch(bytes);
      REQUIRE_FALSE(batch);
      CHECK(batch.error().kind == ErrorKind::kCorrupt);
      CHECK(BatchHeader(bytes.data()).crc() == line.at("storedCrc").get<std::uint32_t>());
      ++refused;
      return;
    }
    compare_line(line, bytes);
    if (line.at("encodeExact").get<bool>()) {
      ByteVector again;
      for (const json& batch : line.at("batches")) {
        const ByteVector one = rebuild(line, batch, builder);
        again.insert(again.end(), one.begin(), one.end());
      }
      CHECK(golden::to_hex(again) == line.at("hex").get<std::string>());
      ++rebuilt;
    }
  });
  CHECK(lines > 0);
  CHECK(refused > 0);
  CHECK(rebuilt > 0);
}

}  // namespace
}  // namespace cohort::protocol
