// ByteReader: reads Kafka's wire types from bytes that nobody trusts. It never reads past the end, never allocates by a
// length that the bytes do not back, and never throws.
//
// The error is sticky: the first failure is remembered with its place, the reader jumps to the end, and everything read
// later is zero or empty. So a decoder reads straight through and asks once. Why not a Result per field: a check per
// field costs more than the field. Strings and bytes borrow from the span, which must outlive what was read.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/types/uuid.h"
#include "protocol/wire/big_endian.h"
#include "protocol/wire/bytes.h"
#include "protocol/wire/tagged_fields.h"
#include "protocol/wire/text.h"

namespace cohort::protocol {

// Limits of a decoder, as in Kafka 4.4. A string has at most as many bytes as a signed 16-bit length can say, in the
// compact form too.
inline constexpr std::size_t kMaxArrayElements = 1'000'000;
inline constexpr std::size_t kMaxTaggedFields = 10'000;
inline constexpr std::size_t kMaxStringSize = 32'767;
// What is reserved for an array before its elements are seen.
inline constexpr std::size_t kMaxInitialCapacity = 1'000;

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::byte> bytes)
      : begin_(bytes.data()), next_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return reason_ == nullptr; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - next_); }
  // Of the next byte to read; after a failure, of the place that failed.
  std::size_t offset() const { return ok() ? static_cast<std::size_t>(next_ - begin_) : failed_at_; }
  // Null while ok.
  const char* reason() const { return reason_; }
  // kMalformed, or kTooLarge when a limit was hit, with reason and offset.
  Result<void> status() const;
  // As status(), and bytes left over are an error too.
  Result<void> finish();

  // The first call counts. `reason` must live for ever.
  void fail(const char* reason, ErrorKind kind = ErrorKind::kMalformed);

  std::int8_t int8() { return fixed<std::int8_t>(); }
  std::int16_t int16() { return fixed<std::int16_t>(); }
  std::uint16_t uint16() { return fixed<std::uint16_t>(); }
  std::int32_t int32() { return fixed<std::int32_t>(); }
  std::uint32_t uint32() { return fixed<std::uint32_t>(); }
  std::int64_t int64() { return fixed<std::int64_t>(); }
  // Any byte but 0 is true, as in Kafka.
  bool boolean() { return fixed<std::int8_t>() != 0; }
  double float64() { return std::bit_cast<double>(fixed<std::uint64_t>()); }
  Uuid uuid() {
    const auto high = fixed<std::uint64_t>();
    const auto low = fixed<std::uint64_t>();
    return ok() ? Uuid(high, low) : Uuid();
  }
  std::uint32_t unsigned_varint() {
    if (next_ != end_ && static_cast<std::uint8_t>(*next_) < 0x80) return static_cast<std::uint8_t>(*next_++);
    return long_unsigned_varint();
  }
  std::int32_t varint();   // zigzag
  std::int64_t varlong();  // zigzag

  // Exactly `count` bytes; empty after a failure.
  std::span<const std::byte> raw(std::size_t count) {
    if (remaining() < count) [[unlikely]] {
      fail("more bytes announced than there are");
      return {};
    }
    const std::span<const std::byte> bytes(next_, count);
    next_ += count;
    return bytes;
  }

  // compact: length + 1 as unsigned varint (flexible versions); otherwise a 16-bit length for strings and a 32-bit one
  // for bytes. The plain forms take null as an error.
  Text string(bool compact);
  std::optional<Text> nullable_string(bool compact);
  Bytes bytes(bool compact);
  std::optional<Bytes> nullable_bytes(bool compact);

  // Number of elements of an array: never above kMaxArrayElements, never above the bytes left.
  std::size_t array_count(bool compact);
  std::optional<std::size_t> nullable_array_count(bool compact);

  // Marker in front of a nullable struct outside of a tag: -1 null, 1 present.
  bool struct_is_present();
  // The same in front of a nullable struct in a tag: 0 null, 1 present.
  bool tagged_struct_is_present();

  // Number of tagged fields of a section, then tag and size of each. Tags must ascend (KIP-482). Kafka's reader lets
  // any order pass; insisting on it keeps the work linear in the bytes.
  std::size_t tagged_field_count();
  struct TagHead {
    std::int64_t tag = -1;  // -1: before the first
    std::size_t size = 0;   // never above remaining()
  };
  TagHead next_tag(TagHead previous);
  // Keeps a field that the schema does not know.
  void unknown_tag(TagHead head, TaggedFields& into);
  // Call after reading a known tagged field: it must have used up exactly its size. remaining_before: remaining()
  // before.
  void tag_end(TagHead head, std::size_t remaining_before) {
    if (remaining_before - remaining() != head.size) fail("a tagged field does not fill its announced size");
  }

 private:
  template <std::integral T>
  T fixed() {
    if (remaining() < sizeof(T)) [[unlikely]] {
      fail("ends in the middle of a number");
      return 0;
    }
    const T value = load_big_endian<T>(next_);
    next_ += sizeof(T);
    return value;
  }
  std::uint32_t long_unsigned_varint();
  std::optional<std::size_t> string_size(bool compact);
  std::optional<std::size_t> bytes_size(bool compact);

  const std::byte* begin_;
  const std::byte* next_;
  const std::byte* end_;
  const char* reason_ = nullptr;
  ErrorKind kind_ = ErrorKind::kMalformed;
  std::size_t failed_at_ = 0;
};

}  // namespace cohort::protocol
