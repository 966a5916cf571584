// Small helpers of the batch tests: bytes from text, changed copies of a batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/batch/batch_builder.h"
#include "protocol/batch/crc32c.h"
#include "protocol/wire/big_endian.h"

namespace cohort::protocol::test {

using ByteVector = std::vector<std::byte>;

inline std::span<const std::byte> span_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteVector copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}
inline ByteVector bytes_of(std::initializer_list<int> values) {
  ByteVector bytes;
  for (const int value : values) bytes.push_back(static_cast<std::byte>(value));
  return bytes;
}

template <std::integral T>
void put(std::span<std::byte> batch, std::size_t at, T value) {
  store_big_endian(batch.data() + at, value);
}
// Makes the checksum right again after a change.
inline void seal(std::span<std::byte> batch) {
  put(batch, batch_layout::kCrc, crc32c(batch.subspan(batch_layout::kAttributes)));
}

// A batch of records "k0" → "v0", "k1" → "v1", ... with timestamps 1000, 1001, ...
inline ByteVector sample_batch(std::int32_t count, const BatchOptions& options = {}) {
  BatchBuilder builder;
  builder.start(options);
  for (std::int32_t i = 0; i < count; ++i) {
    const std::string key = "k" + std::to_string(i);
    const std::string value = "v" + std::to_string(i);
    builder.append(1000 + i, span_of(key), span_of(value));
  }
  return copy_of(builder.finish().value());
}

// A batch around records that were written by hand.
inline ByteVector batch_around(std::span<const std::byte> records, std::int32_t count) {
  ByteVector batch(kBatchHeaderSize);
  batch.insert(batch.end(), records.begin(), records.end());
  write_batch_header(batch, {.last_offset_delta = count - 1, .records_count = count});
  return batch;
}

}  // namespace cohort::protocol::test
