#include "protocol/batch/record.h"

#include <catch2/catch.hpp>

#include "protocol/wire/byte_buffer.h"
#include "tests/unit/protocol/batch/batch_bytes.h"

namespace cohort::protocol {
namespace {

using test::ByteVector;

// Walks over all records and says how it ended.
Result<std::vector<RecordView>> read_all(std::span<const std::byte> batch) {
  ByteBuffer scratch;
  std::vector<RecordView> records;
  auto done = for_each_record(BatchView(batch), 1 << 20, scratch, [&](const RecordView& r) { records.push_back(r); });
  if (!done) return std::unexpected(done.error());
  return records;
}

bool is_malformed(const ByteVector& records, std::int32_t count = 1) {
  const ByteVector batch = test::batch_around(records, count);
  const auto result = read_all(batch);
  return !result && result.error().kind == ErrorKind::kMalformed;
}

// length 6: attributes, timestamp delta, offset delta, null key, null value, no header
const ByteVector kSmallest = test::bytes_of({12, 0, 0, 0, 1, 1, 0});

TEST_CASE("record: null and empty are different, headers come in order") {
  BatchBuilder builder;
  builder.start({.base_offset = 100, .base_sequence = 2'147'483'647});
  const RecordHeader headers[] = {{"a", test::span_of("1")}, {"", std::nullopt}, {"a", test::span_of("")}};
  builder.append(50, std::nullopt, test::span_of(""), headers);
  builder.append(40, test::span_of("key"), std::nullopt);
  const ByteVector batch = test::copy_of(builder.finish().value());

  const auto records = read_all(batch);
  REQUIRE(records);
  REQUIRE(records->size() == 2);
  const RecordView& first = records->at(0);
  CHECK(first.offset == 100);
  CHECK(first.timestamp_ms == 50);
  CHECK(first.sequence == 2'147'483'647);
  CHECK_FALSE(first.key);
  REQUIRE(first.value);
  CHECK(first.value->empty());
  CHECK(first.headers.size() == 3);
  std::string seen;
  for (const RecordHeader& header : first.headers) {
    seen += std::string(header.key) + "=" + (header.value ? test::text_of(*header.value) : "null") + ";";
  }
  CHECK(seen == "a=1;=null;a=;");

  const RecordView& second = records->at(1);
  CHECK(second.offset == 101);
  CHECK(second.timestamp_ms == 40);
  CHECK(second.sequence == 0);
  CHECK(test::text_of(*second.key) == "key");
  CHECK_FALSE(second.value);
  CHECK(second.headers.empty());
  CHECK(first.size_in_bytes + second.size_in_bytes == batch.size() - kBatchHeaderSize);
}

TEST_CASE("record: LogAppendTime gives every record the batch's time") {
  const ByteVector batch = test::sample_batch(2, {.log_append_time_ms = 9999});
  for (const RecordView& record : read_all(batch).value()) CHECK(record.timestamp_ms == 9999);
}

TEST_CASE("record: every codec gives the same records") {
  for (const auto codec : {Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd}) {
    const ByteVector batch = test::sample_batch(500, {.compression = codec});
    ByteBuffer scratch;
    std::int64_t count = 0;
    REQUIRE(for_each_record(BatchView(batch), 1 << 20, scratch, [&](const RecordView& record) {
      REQUIRE(record.offset == count);
      REQUIRE(test::text_of(*record.value) == "v" + std::to_string(count));
      ++count;
    }));
    CHECK(count == 500);
    CHECK(for_each_record(BatchView(batch), 1000, scratch, [](const RecordView&) {}).error().kind ==
          ErrorKind::kTooLarge);
  }
}

TEST_CASE("record: the limit is one for decompression") {
  const ByteVector batch = test::sample_batch(10);
  ByteBuffer scratch;
  CHECK(for_each_record(BatchView(batch), 0, scratch, [](const RecordView&) {}));
}

TEST_CASE("record: the callback may end the loop") {
  const ByteVector batch = test::sample_batch(10);
  ByteBuffer scratch;
  int seen = 0;
  const auto done = for_each_record(BatchView(batch), 0, scratch, [&](const RecordView&) -> Result<void> {
    if (++seen == 3) return fail(ErrorKind::kInvalid, "enough");
    return {};
  });
  REQUIRE_FALSE(done);
  CHECK(done.error().message == "enough");
  CHECK(seen == 3);
}

TEST_CASE("record: an emptied batch has none") {
  ByteVector batch(kBatchHeaderSize);
  write_batch_header(batch, {.last_offset_delta = 9});
  CHECK(read_all(batch)->empty());
  write_batch_header(batch, {.compression = Compression::kZstd, .last_offset_delta = 9});
  CHECK(read_all(batch)->empty());
}

TEST_CASE("record: an unknown codec is not served") {
  ByteVector batch = test::sample_batch(1);
  test::put(batch, batch_layout::kAttributes, std::int16_t{5});
  CHECK(read_all(batch).error().kind == ErrorKind::kUnsupported);
}

TEST_CASE("record: lengths and counts that do not fit are malformed") {
  CHECK_FALSE(is_malformed(kSmallest));
  SECTION("count") {
    CHECK(is_malformed({}, 1));
    CHECK(is_malformed(kSmallest, 2));
    CHECK(is_malformed(kSmallest, 2'000'000'000));
    ByteVector two = kSmallest;
    two.insert(two.end(), kSmallest.begin(), kSmallest.end());
    CHECK(is_malformed(two, 1));
    CHECK_FALSE(is_malformed(two, 2));
  }
  SECTION("record length") {
    CHECK(is_malformed(test::bytes_of({14, 0, 0, 0, 1, 1, 0})));                   // one more than there is
    CHECK(is_malformed(test::bytes_of({14, 0, 0, 0, 1, 1, 0, 0})));                // a byte that nothing uses
    CHECK(is_malformed(test::bytes_of({10, 0, 0, 0, 1, 1, 0})));                   // one less than is used
    CHECK(is_malformed(test::bytes_of({11, 0, 0, 0, 1, 1, 0})));                   // negative
    CHECK(is_malformed(test::bytes_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0})));  // no varint
  }
  SECTION("key and value") {
    CHECK(is_malformed(test::bytes_of({12, 0, 0, 0, 4, 1, 0})));
    CHECK(is_malformed(test::bytes_of({12, 0, 0, 0, 1, 4, 0})));
    CHECK_FALSE(is_malformed(test::bytes_of({12, 0, 0, 0, 7, 9, 0})));  // any negative length is null
  }
  SECTION("headers") {
    CHECK(is_malformed(test::bytes_of({12, 0, 0, 0, 1, 1, 1})));              // -1 headers
    CHECK(is_malformed(test::bytes_of({12, 0, 0, 0, 1, 1, 2})));              // one, but no bytes for it
    CHECK(is_malformed(test::bytes_of({16, 0, 0, 0, 1, 1, 2, 1, 1})));        // a null key
    CHECK(is_malformed(test::bytes_of({16, 0, 0, 0, 1, 1, 2, 2, 1})));        // a key beyond the end
    CHECK_FALSE(is_malformed(test::bytes_of({16, 0, 0, 0, 1, 1, 2, 0, 1})));  // "" with null
  }
}

TEST_CASE("record: control types") {
  RecordView record;
  CHECK_FALSE(control_record_type(record));
  const ByteVector commit = test::bytes_of({0, 0, 0, 1});
  record.key = commit;
  CHECK(*control_record_type(record) == ControlRecordType::kCommit);
  const ByteVector later = test::bytes_of({0, 3, 0, 2, 9});
  record.key = later;
  CHECK(*control_record_type(record) == ControlRecordType::kLeaderChange);
  const ByteVector negative = test::bytes_of({0xff, 0xff, 0, 1});
  record.key = negative;
  CHECK_FALSE(control_record_type(record));
  record.key = std::span(commit).first(3);
  CHECK_FALSE(control_record_type(record));
}

}  // namespace
}  // namespace cohort::protocol
