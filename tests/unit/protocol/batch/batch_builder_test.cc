#include "protocol/batch/batch_builder.h"

#include <catch2/catch.hpp>

#include "tests/unit/protocol/batch/batch_bytes.h"

namespace cohort::protocol {
namespace {

using test::ByteVector;

TEST_CASE("batch builder: no record, no bytes") {
  BatchBuilder builder;
  CHECK(builder.finish()->empty());
  CHECK(builder.release()->empty());
  CHECK(builder.empty());
  CHECK(builder.estimated_size() == kBatchHeaderSize);
}

TEST_CASE("batch builder: all options reach the header") {
  BatchBuilder builder;
  builder.start({.base_offset = 7,
                 .partition_leader_epoch = 3,
                 .is_transactional = true,
                 .is_control = true,
                 .producer_id = 99,
                 .producer_epoch = 4,
                 .base_sequence = 20,
                 .last_offset_delta = 5});
  builder.append(1000, test::span_of("a"), test::span_of("b"));
  builder.append_at(3, 900, test::span_of("c"), std::nullopt);
  const auto batch = parse_batch(builder.finish().value());
  REQUIRE(batch);
  CHECK(batch->base_offset() == 7);
  CHECK(batch->partition_leader_epoch() == 3);
  CHECK(batch->attributes() == (kTransactionalBit | kControlBit));
  CHECK(batch->producer_id() == 99);
  CHECK(batch->producer_epoch() == 4);
  CHECK(batch->base_sequence() == 20);
  CHECK(batch->last_offset_delta() == 5);
  CHECK(batch->base_timestamp() == 1000);
  CHECK(batch->max_timestamp() == 1000);
  CHECK(batch->records_count() == 2);
}

TEST_CASE("batch builder: a delete horizon is the base of all times") {
  BatchBuilder builder;
  builder.start({.delete_horizon_ms = 5000});
  builder.append(1000, test::span_of("a"), std::nullopt);
  const ByteVector batch = test::copy_of(builder.finish().value());
  CHECK(BatchView(batch).delete_horizon_ms() == 5000);
  ByteBuffer scratch;
  REQUIRE(for_each_record(BatchView(batch), 0, scratch, [](const RecordView& r) { CHECK(r.timestamp_ms == 1000); }));
}

TEST_CASE("batch builder: sizes are known before and after") {
  BatchBuilder builder;
  const std::string value(300, 'v');
  const RecordHeader headers[] = {{"name", test::span_of(value)}};
  for (int i = 0; i < 100; ++i) {
    const std::size_t before = builder.estimated_size();
    const std::size_t bound = builder.would_be_size(test::span_of("key"), test::span_of(value), headers);
    builder.append(i * 1'000'000'000LL, test::span_of("key"), test::span_of(value), headers);
    CHECK(builder.estimated_size() > before);
    CHECK(builder.estimated_size() <= bound);
    CHECK(bound <= builder.estimated_size() + 40);
  }
  CHECK(builder.finish()->size() == builder.estimated_size());
  CHECK(builder.records_count() == 100);
}

TEST_CASE("batch builder: used again, it leaves no trace of the batch before and takes no new memory") {
  BatchBuilder builder(4096);
  builder.start({.producer_id = 5, .base_sequence = 1, .log_append_time_ms = 77});
  for (int i = 0; i < 20; ++i) builder.append(i, test::span_of("key"), test::span_of("value"));
  const std::byte* const memory = builder.finish()->data();
  builder.start();
  for (int i = 0; i < 3; ++i) {
    const std::string text = std::to_string(i);
    builder.append(1000 + i, test::span_of("k" + text), test::span_of("v" + text));
  }
  CHECK(test::copy_of(*builder.finish()) == test::sample_batch(3));
  CHECK(builder.finish()->data() == memory);
}

TEST_CASE("batch builder: release hands the bytes over") {
  for (const auto codec : {Compression::kNone, Compression::kZstd}) {
    BatchBuilder builder;
    builder.start({.compression = codec});
    builder.append(1, test::span_of("a"), test::span_of("b"));
    const ByteBuffer bytes = std::move(builder.release().value());
    CHECK(builder.empty());
    builder.start({.base_offset = 1});
    builder.append(2, test::span_of("c"), test::span_of("d"));
    REQUIRE(parse_batch(bytes.view()));
    CHECK(parse_batch(bytes.view())->base_offset() == 0);
    CHECK(parse_batch(builder.finish().value())->base_offset() == 1);
  }
}

TEST_CASE("batch builder: times at the ends of the range come back") {
  constexpr std::int64_t kLow = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kHigh = std::numeric_limits<std::int64_t>::max();
  const std::int64_t times[] = {kHigh, kLow, -1, 0, kHigh - 1};
  BatchBuilder builder;
  for (const std::int64_t time : times) builder.append(time, std::nullopt, std::nullopt);
  const ByteVector batch = test::copy_of(builder.finish().value());
  ByteBuffer scratch;
  std::size_t index = 0;
  REQUIRE(for_each_record(BatchView(batch), 0, scratch,
                          [&](const RecordView& r) { CHECK(r.timestamp_ms == times[index++]); }));
  CHECK(index == 5);
}

}  // namespace
}  // namespace cohort::protocol
