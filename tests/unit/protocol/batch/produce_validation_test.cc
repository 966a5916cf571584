#include "protocol/batch/produce_validation.h"

#include <catch2/catch.hpp>

#include "protocol/wire/byte_buffer.h"
#include "tests/unit/protocol/batch/batch_bytes.h"

namespace cohort::protocol {
namespace {

using test::ByteVector;

ProduceRules rules() {
  return {.produce_version = 9, .max_message_bytes = 100'000, .max_decompressed_bytes = 1 << 20, .now_ms = 2000};
}

std::expected<ProducedBatch, ProduceError> validate(const ByteVector& bytes, const ProduceRules& with = rules()) {
  ByteBuffer scratch;
  return validate_produced_batch(bytes, with, scratch);
}

ErrorCode refusal(const ByteVector& bytes, const ProduceRules& with = rules()) {
  const auto result = validate(bytes, with);
  if (result) return ErrorCode::kNone;
  CHECK_FALSE(result.error().message.empty());
  return result.error().code;
}

// A sound batch of three with one header field changed and the checksum made right again.
template <std::integral T>
ByteVector with_field(std::size_t at, T value) {
  ByteVector batch = test::sample_batch(3);
  test::put(batch, at, value);
  test::seal(batch);
  return batch;
}

TEST_CASE("produce: a sound batch, and where its latest time is") {
  BatchBuilder builder;
  for (const std::int64_t time : {1500, 1900, 1700, 1900}) builder.append(time, test::span_of("k"), std::nullopt);
  const ByteVector bytes = test::copy_of(builder.finish().value());
  auto result = validate(bytes);
  REQUIRE(result);
  CHECK(result->records_count == 4);
  CHECK(result->max_timestamp_ms == 1900);
  CHECK(result->max_timestamp_offset_delta == 1);
  CHECK(result->batch.size_in_bytes() == bytes.size());

  ProduceRules append_time = rules();
  append_time.timestamp_type = TimestampType::kLogAppendTime;
  result = validate(bytes, append_time);
  REQUIRE(result);
  CHECK(result->max_timestamp_ms == 2000);
  CHECK(result->max_timestamp_offset_delta == 0);
}

TEST_CASE("produce: no time at all is fine") {
  BatchBuilder builder;
  builder.append(kNoTimestamp, test::span_of("k"), std::nullopt);
  const auto result = validate(test::copy_of(builder.finish().value()));
  REQUIRE(result);
  CHECK(result->max_timestamp_ms == kNoTimestamp);
}

TEST_CASE("produce: every codec is opened and read") {
  for (const auto codec : {Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd}) {
    const ByteVector good = test::sample_batch(200, {.compression = codec});
    CHECK(refusal(good) == ErrorCode::kNone);
    ProduceRules tight = rules();
    tight.max_decompressed_bytes = 100;
    CHECK(refusal(good, tight) == ErrorCode::kMessageTooLarge);
    ByteVector bad = good;
    bad.resize(bad.size() - 6);
    test::put(bad, batch_layout::kBatchLength, static_cast<std::int32_t>(bad.size() - kBatchLogOverhead));
    test::seal(bad);
    CHECK(refusal(bad) == ErrorCode::kInvalidRecord);
  }
}

TEST_CASE("produce: zstd needs version 7, a codec needs to exist") {
  ProduceRules old = rules();
  old.produce_version = 6;
  CHECK(refusal(test::sample_batch(1, {.compression = Compression::kZstd}), old) ==
        ErrorCode::kUnsupportedCompressionType);
  CHECK(refusal(test::sample_batch(1, {.compression = Compression::kLz4}), old) == ErrorCode::kNone);
  CHECK(refusal(with_field(batch_layout::kAttributes, std::int16_t{6})) == ErrorCode::kUnsupportedCompressionType);
}

TEST_CASE("produce: exactly one whole batch of format 2") {
  const ByteVector good = test::sample_batch(2);
  CHECK(refusal({}) == ErrorCode::kInvalidRecord);
  for (const std::size_t size : {1U, 12U, 17U, 61U}) {
    CHECK(refusal(ByteVector(good.begin(), good.begin() + size)) == ErrorCode::kInvalidRecord);
  }
  ByteVector twice = good;
  twice.insert(twice.end(), good.begin(), good.end());
  CHECK(refusal(twice) == ErrorCode::kInvalidRecord);
  twice.pop_back();  // an incomplete second one is dropped
  const auto result = validate(twice);
  REQUIRE(result);
  CHECK(result->batch.bytes().size() == good.size());

  ByteVector old = good;
  test::put(old, batch_layout::kMagic, std::int8_t{1});
  CHECK(refusal(old) == ErrorCode::kInvalidRecord);
  test::put(old, batch_layout::kMagic, std::int8_t{3});
  CHECK(refusal(old) == ErrorCode::kCorruptMessage);
  ByteVector tiny = good;
  test::put(tiny, batch_layout::kBatchLength, std::int32_t{13});
  CHECK(refusal(tiny) == ErrorCode::kCorruptMessage);
  test::put(tiny, batch_layout::kBatchLength, std::int32_t{48});
  CHECK(refusal(tiny) == ErrorCode::kCorruptMessage);
  test::put(tiny, batch_layout::kBatchLength, std::int32_t{-5});
  CHECK(refusal(tiny) == ErrorCode::kCorruptMessage);
}

TEST_CASE("produce: checksum, size, base offset") {
  ByteVector bad = test::sample_batch(2);
  bad.back() ^= std::byte{1};
  CHECK(refusal(bad) == ErrorCode::kCorruptMessage);
  ProduceRules small = rules();
  small.max_message_bytes = bad.size() - 1;
  CHECK(refusal(test::sample_batch(2), small) == ErrorCode::kMessageTooLarge);
  small.max_message_bytes = bad.size();
  CHECK(refusal(test::sample_batch(2), small) == ErrorCode::kNone);
  CHECK(refusal(test::sample_batch(2, {.base_offset = 1})) == ErrorCode::kInvalidRecord);
}

TEST_CASE("produce: offsets and counts agree") {
  CHECK(refusal(with_field(batch_layout::kLastOffsetDelta, std::int32_t{3})) == ErrorCode::kInvalidRecord);
  CHECK(refusal(with_field(batch_layout::kLastOffsetDelta, std::int32_t{1})) == ErrorCode::kInvalidRecord);
  CHECK(refusal(with_field(batch_layout::kLastOffsetDelta, std::int32_t{-1})) == ErrorCode::kInvalidRecord);
  CHECK(refusal(with_field(batch_layout::kRecordsCount, std::int32_t{0})) == ErrorCode::kInvalidRecord);
  CHECK(refusal(with_field(batch_layout::kRecordsCount, std::int32_t{-3})) == ErrorCode::kInvalidRecord);
  ByteVector four = with_field(batch_layout::kRecordsCount, std::int32_t{4});
  test::put(four, batch_layout::kLastOffsetDelta, std::int32_t{3});
  test::seal(four);
  CHECK(refusal(four) == ErrorCode::kInvalidRecord);

  BatchBuilder builder;
  builder.start({.last_offset_delta = 1});
  builder.append(1, std::nullopt, std::nullopt);
  builder.append_at(2, 1, std::nullopt, std::nullopt);
  const auto gap = validate(test::copy_of(builder.finish().value()));
  REQUIRE_FALSE(gap);
  CHECK(gap.error().code == ErrorCode::kInvalidRecord);
  REQUIRE(gap.error().record_errors.size() == 1);
  CHECK(gap.error().record_errors[0].batch_index == 1);
}

TEST_CASE("produce: no control batches, no producer without a sequence, no time of the broker") {
  CHECK(refusal(test::sample_batch(1, {.is_control = true})) == ErrorCode::kInvalidRecord);
  CHECK(refusal(test::sample_batch(1, {.producer_id = 7})) == ErrorCode::kInvalidRecord);
  CHECK(refusal(test::sample_batch(1, {.producer_id = 7, .producer_epoch = 0, .base_sequence = 0})) ==
        ErrorCode::kNone);
  CHECK(refusal(test::sample_batch(1, {.log_append_time_ms = 2000})) == ErrorCode::kInvalidTimestamp);
}

TEST_CASE("produce: compacted topics want keys") {
  BatchBuilder builder;
  builder.append(1, test::span_of("k"), std::nullopt);
  builder.append(1, std::nullopt, test::span_of("v"));
  builder.append(1, test::span_of(""), test::span_of("v"));
  const ByteVector batch = test::copy_of(builder.finish().value());
  CHECK(refusal(batch) == ErrorCode::kNone);
  ProduceRules compacted = rules();
  compacted.is_compacted = true;
  const auto result = validate(batch, compacted);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kInvalidRecord);
  REQUIRE(result.error().record_errors.size() == 1);
  CHECK(result.error().record_errors[0].batch_index == 1);
}

TEST_CASE("produce: times stay within the topic's range") {
  const auto with_time = [](std::int64_t time) {
    BatchBuilder builder;
    builder.append(time, test::span_of("k"), std::nullopt);
    return test::copy_of(builder.finish().value());
  };
  ProduceRules ranged = rules();
  ranged.timestamp_before_max_ms = 100;
  ranged.timestamp_after_max_ms = 10;
  CHECK(refusal(with_time(1900), ranged) == ErrorCode::kNone);
  CHECK(refusal(with_time(1899), ranged) == ErrorCode::kInvalidTimestamp);
  CHECK(refusal(with_time(2010), ranged) == ErrorCode::kNone);
  CHECK(refusal(with_time(2011), ranged) == ErrorCode::kInvalidTimestamp);
  CHECK(refusal(with_time(std::numeric_limits<std::int64_t>::min()), ranged) == ErrorCode::kInvalidTimestamp);
  CHECK(refusal(with_time(std::numeric_limits<std::int64_t>::max()), ranged) == ErrorCode::kInvalidTimestamp);
  CHECK(refusal(with_time(2000 + 3'600'001)) == ErrorCode::kInvalidTimestamp);  // the default is an hour
  CHECK(refusal(with_time(0)) == ErrorCode::kNone);
  ranged.timestamp_type = TimestampType::kLogAppendTime;
  CHECK(refusal(with_time(5), ranged) == ErrorCode::kNone);
}

TEST_CASE("produce: the list of bad records is bounded, a bad time decides the code") {
  BatchBuilder builder;
  for (int i = 0; i < 500; ++i) builder.append(1000, std::nullopt, std::nullopt);
  builder.append(9'000'000'000, test::span_of("k"), std::nullopt);
  ProduceRules compacted = rules();
  compacted.is_compacted = true;
  const auto result = validate(test::copy_of(builder.finish().value()), compacted);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ErrorCode::kInvalidTimestamp);
  CHECK(result.error().record_errors.size() == kMaxRecordErrors);
  CHECK(result.error().message.find("501") != std::string::npos);
}

}  // namespace
}  // namespace cohort::protocol
