// Any bytes as record batches: no crash, no byte read beyond the end, no memory beyond the limit.
#include "protocol/batch/record_batch.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/base/check.h"
#include "protocol/batch/batch_builder.h"
#include "protocol/batch/crc32c.h"
#include "protocol/batch/produce_validation.h"
#include "protocol/batch/record.h"
#include "protocol/wire/big_endian.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol {
namespace {

constexpr std::size_t kLimit = 64 * 1024;

// Touches each byte, so that the sanitizer sees a view that reaches too far.
std::uint64_t touch(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  for (const std::byte byte : bytes) sum += std::to_integer<std::uint64_t>(byte);
  return sum;
}
std::uint64_t touch(const NullableSpan& bytes) {
  return bytes ? touch(*bytes) : 1;
}

// Decodes the records and, if they are sound, builds the batch anew: its records must be the same.
void read_records(const BatchView& batch) {
  static volatile std::uint64_t sink = 0;
  ByteBuffer scratch;
  BatchBuilder builder;
  builder.start({.base_offset = batch.base_offset()});
  std::vector<RecordHeader> headers;
  std::int32_t last_delta = -1;
  bool is_ascending = true;
  const auto done = for_each_record(batch, kLimit, scratch, [&](const RecordView& record) {
    headers.clear();
    for (const RecordHeader& header : record.headers) headers.push_back(header);
    CHECK(static_cast<std::int32_t>(headers.size()) == record.headers.size());
    sink = sink + touch(record.key) + touch(record.value) + static_cast<std::uint64_t>(record.sequence);
    is_ascending = is_ascending && record.offset_delta > last_delta;
    last_delta = record.offset_delta;
    if (is_ascending) {
      builder.append_at(record.offset_delta, record.timestamp_ms, record.key, record.value, headers);
    }
  });
  CHECK(scratch.capacity() <= kLimit);
  if (!done || !is_ascending || builder.empty()) return;
  const auto again = parse_batch(builder.finish().value());
  CHECK(again.has_value() && again->records_count() == batch.records_count());
  ByteBuffer unused;
  std::uint64_t size = 0;
  CHECK(
      for_each_record(*again, 0, unused, [&](const RecordView& record) { size += record.size_in_bytes; }).has_value());
  CHECK(size == again->stored_records().size());
}

void take(std::span<const std::byte> bytes) {
  BatchReader reader(bytes, kLimit);
  while (true) {
    const auto batch = reader.next();
    if (!batch || !*batch) break;
    CHECK((*batch)->bytes().data() + (*batch)->size_in_bytes() == bytes.data() + reader.position());
    read_records(**batch);
  }
  CHECK(reader.position() + reader.remaining() == bytes.size());
  ByteBuffer scratch;
  const ProduceRules rules{.produce_version = 9, .max_message_bytes = kLimit, .max_decompressed_bytes = kLimit};
  if (const auto produced = validate_produced_batch(bytes, rules, scratch); produced) {
    CHECK(produced->max_timestamp_offset_delta <= produced->batch.last_offset_delta());
  }
  CHECK(scratch.capacity() <= kLimit);
}

}  // namespace
}  // namespace cohort::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cohort::protocol;
  const std::span<const std::byte> input(reinterpret_cast<const std::byte*>(data), size);
  take(input);
  if (size < kBatchHeaderSize) return 0;
  // The same as one batch whose length, format and checksum are right: the way to the records.
  std::vector<std::byte> sealed(input.begin(), input.end());
  const std::span<std::byte> batch(sealed);
  store_big_endian(batch.data() + batch_layout::kBatchLength, static_cast<std::int32_t>(size - kBatchLogOverhead));
  store_big_endian(batch.data() + batch_layout::kMagic, kBatchMagic);
  store_big_endian(batch.data() + batch_layout::kCrc, crc32c(batch.subspan(batch_layout::kAttributes)));
  take(batch);
  set_base_offset(batch, 0);
  take(batch);
  return 0;
}
