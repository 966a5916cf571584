#include "protocol/batch/record_batch.h"

#include <catch2/catch.hpp>

#include "tests/unit/protocol/batch/batch_bytes.h"

namespace cohort::protocol {
namespace {

using test::ByteVector;

TEST_CASE("record batch: every header field is read where it was written") {
  ByteVector bytes(kBatchHeaderSize);
  write_batch_header(bytes, {.base_offset = 0x0102030405060708,
                             .partition_leader_epoch = 0x0a0b0c0d,
                             .compression = Compression::kLz4,
                             .timestamp_type = TimestampType::kLogAppendTime,
                             .is_transactional = true,
                             .is_control = true,
                             .has_delete_horizon = true,
                             .last_offset_delta = 17,
                             .base_timestamp = 1'700'000'000'001,
                             .max_timestamp = 1'700'000'000'002,
                             .producer_id = 0x1122334455667788,
                             .producer_epoch = 0x1234,
                             .base_sequence = 0x7ffffff0,
                             .records_count = 3});
  const auto batch = parse_batch(bytes);
  REQUIRE(batch);
  CHECK(batch->base_offset() == 0x0102030405060708);
  CHECK(batch->batch_length() == 49);
  CHECK(batch->size_in_bytes() == 61);
  CHECK(batch->partition_leader_epoch() == 0x0a0b0c0d);
  CHECK(batch->magic() == 2);
  CHECK(batch->crc() == batch->computed_crc());
  CHECK(batch->attributes() == 0x7b);
  CHECK(batch->compression() == Compression::kLz4);
  CHECK(batch->timestamp_type() == TimestampType::kLogAppendTime);
  CHECK(batch->is_transactional());
  CHECK(batch->is_control());
  CHECK(batch->delete_horizon_ms() == 1'700'000'000'001);
  CHECK(batch->last_offset_delta() == 17);
  CHECK(batch->last_offset() == 0x0102030405060708 + 17);
  CHECK(batch->base_timestamp() == 1'700'000'000'001);
  CHECK(batch->max_timestamp() == 1'700'000'000'002);
  CHECK(batch->producer_id() == 0x1122334455667788);
  CHECK(batch->has_producer_id());
  CHECK(batch->producer_epoch() == 0x1234);
  CHECK(batch->base_sequence() == 0x7ffffff0);
  CHECK(batch->last_sequence() == 1);  // wrapped
  CHECK(batch->records_count() == 3);
  CHECK(batch->stored_records().empty());
}

TEST_CASE("record batch: a plain batch has no flags, no producer and no sequence") {
  const ByteVector bytes = test::sample_batch(2);
  const auto batch = parse_batch(bytes);
  REQUIRE(batch);
  CHECK(batch->attributes() == 0);
  CHECK_FALSE(batch->delete_horizon_ms());
  CHECK_FALSE(batch->has_producer_id());
  CHECK(batch->last_sequence() == kNoSequence);
  CHECK(batch->compression() == Compression::kNone);
}

TEST_CASE("record batch: sequences wrap to zero") {
  CHECK(increment_sequence(0, 0) == 0);
  CHECK(increment_sequence(5, 7) == 12);
  CHECK(increment_sequence(2'147'483'647, 1) == 0);
  CHECK(increment_sequence(2'147'483'646, 3) == 1);
  CHECK(increment_sequence(2'147'483'647, 2'147'483'647) == 2'147'483'646);
}

TEST_CASE("record batch: checks run in the order size, magic, checksum, counts") {
  ByteVector bytes = test::sample_batch(2);
  const auto kind = [&] { return parse_batch(bytes).error().kind; };

  CHECK(parse_batch(std::span(bytes).first(60)).error().kind == ErrorKind::kMalformed);
  CHECK(parse_batch(std::span(bytes).first(bytes.size() - 1)).error().kind == ErrorKind::kMalformed);
  CHECK(parse_batch(bytes, bytes.size() - 1).error().kind == ErrorKind::kTooLarge);
  CHECK(parse_batch(bytes, bytes.size()));

  SECTION("an impossible count") {
    test::put(bytes, batch_layout::kRecordsCount, std::int32_t{3});
    CHECK(kind() == ErrorKind::kCorrupt);
    test::seal(bytes);
    CHECK(kind() == ErrorKind::kMalformed);
    test::put(bytes, batch_layout::kMagic, std::int8_t{1});
    CHECK(parse_batch(bytes).error().message.find("format 1") != std::string::npos);
    test::put(bytes, batch_layout::kBatchLength, std::int32_t{48});
    CHECK(parse_batch(bytes).error().message.find("length of 48") != std::string::npos);
  }
  SECTION("negative counts") {
    test::put(bytes, batch_layout::kRecordsCount, std::int32_t{-1});
    test::seal(bytes);
    CHECK(kind() == ErrorKind::kMalformed);
    CHECK(parse_batch_header(bytes).error().kind == ErrorKind::kMalformed);
  }
  SECTION("a negative offset delta") {
    test::put(bytes, batch_layout::kLastOffsetDelta, std::int32_t{-2'147'483'647 - 1});
    test::seal(bytes);
    CHECK(kind() == ErrorKind::kMalformed);
  }
  SECTION("lengths at the ends of the range") {
    test::put(bytes, batch_layout::kBatchLength, std::int32_t{2'147'483'647});
    CHECK(kind() == ErrorKind::kTooLarge);
    test::put(bytes, batch_layout::kBatchLength, std::int32_t{-12});
    CHECK(kind() == ErrorKind::kMalformed);
  }
}

TEST_CASE("record batch: any flipped bit from the attributes on is found, but not in offset and epoch") {
  const ByteVector good = test::sample_batch(3);
  for (std::size_t at = batch_layout::kCrc; at < good.size(); ++at) {
    ByteVector bad = good;
    bad[at] ^= std::byte{0x10};
    REQUIRE(parse_batch(bad).error().kind == ErrorKind::kCorrupt);
  }
  ByteVector moved = good;
  set_base_offset(moved, 1'234'567'890'123);
  set_partition_leader_epoch(moved, 77);
  const auto batch = parse_batch(moved);
  REQUIRE(batch);
  CHECK(batch->base_offset() == 1'234'567'890'123);
  CHECK(batch->last_offset() == 1'234'567'890'125);
  CHECK(batch->partition_leader_epoch() == 77);
}

TEST_CASE("record batch: the header alone is enough to walk a file") {
  const ByteVector bytes = test::sample_batch(3, {.base_offset = 40});
  const auto header = parse_batch_header(std::span(bytes).first(kBatchHeaderSize));
  REQUIRE(header);
  CHECK(header->last_offset() == 42);
  CHECK(header->size_in_bytes() == bytes.size());
  CHECK_FALSE(parse_batch_header(std::span(bytes).first(kBatchHeaderSize - 1)));
  CHECK(parse_batch_header(bytes, bytes.size() - 1).error().kind == ErrorKind::kTooLarge);
}

TEST_CASE("record batch: the log's time goes in with a new checksum") {
  ByteVector bytes = test::sample_batch(3);
  set_max_timestamp(bytes, TimestampType::kLogAppendTime, 5000);
  auto batch = parse_batch(bytes);
  REQUIRE(batch);
  CHECK(batch->max_timestamp() == 5000);
  CHECK(batch->timestamp_type() == TimestampType::kLogAppendTime);
  set_max_timestamp(bytes, TimestampType::kCreateTime, 1002);
  CHECK(bytes == test::sample_batch(3));
  // Nothing to change: the checksum is left as it is, even a wrong one.
  test::put(bytes, batch_layout::kCrc, std::uint32_t{1});
  set_max_timestamp(bytes, TimestampType::kCreateTime, 1002);
  CHECK(BatchHeader(bytes.data()).crc() == 1);
}

TEST_CASE("batch reader: batches one after the other, then the end") {
  ByteVector bytes = test::sample_batch(2, {.base_offset = 10});
  const std::size_t first = bytes.size();
  const ByteVector second = test::sample_batch(1, {.base_offset = 12});
  bytes.insert(bytes.end(), second.begin(), second.end());

  BatchReader reader(bytes);
  CHECK((*reader.next())->base_offset() == 10);
  CHECK(reader.position() == first);
  CHECK((*reader.next())->base_offset() == 12);
  CHECK_FALSE(reader.next()->has_value());
  CHECK_FALSE(reader.next()->has_value());
  CHECK(reader.remaining() == 0);
  CHECK_FALSE(BatchReader({}).next()->has_value());
}

TEST_CASE("batch reader: an incomplete tail of any length is not corruption") {
  const ByteVector batch = test::sample_batch(2);
  for (std::size_t tail = 1; tail < batch.size(); ++tail) {
    ByteVector bytes = batch;
    bytes.insert(bytes.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(tail));
    BatchReader reader(bytes);
    REQUIRE(reader.next()->has_value());
    const auto end = reader.next();
    REQUIRE(end);
    REQUIRE_FALSE(end->has_value());
    REQUIRE(reader.remaining() == tail);
  }
}

TEST_CASE("batch reader: corruption is told apart, with its place") {
  ByteVector bytes = test::sample_batch(2);
  const std::size_t first = bytes.size();
  const auto add = [&](const ByteVector& more) { bytes.insert(bytes.end(), more.begin(), more.end()); };
  const auto corrupt_at_second = [&](std::size_t max = kMaxBatchSize) {
    BatchReader reader(bytes, max);
    REQUIRE(reader.next()->has_value());
    const auto bad = reader.next();
    CHECK_FALSE(bad);
    CHECK_FALSE(reader.next());
    return !bad && reader.position() == first;
  };
  SECTION("a wrong checksum") {
    add(test::sample_batch(2));
    bytes.back() ^= std::byte{1};
    CHECK(corrupt_at_second());
  }
  SECTION("zeros, as a preallocated tail has them") {
    add(ByteVector(13));
    CHECK(corrupt_at_second());
  }
  SECTION("another format, even when incomplete") {
    ByteVector old = test::sample_batch(2);
    test::put(old, batch_layout::kMagic, std::int8_t{1});
    old.resize(17);
    add(old);
    CHECK(corrupt_at_second());
  }
  SECTION("a length beyond the limit must not wait for ever as incomplete") {
    ByteVector huge = test::sample_batch(2);
    test::put(huge, batch_layout::kBatchLength, std::int32_t{1'000'000});
    add(huge);
    CHECK(corrupt_at_second(100'000));
  }
}

}  // namespace
}  // namespace cohort::protocol
