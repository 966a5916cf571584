#include "protocol/wire/byte_reader.h"

#include <fmt/format.h>

namespace cohort::protocol {

void ByteReader::fail(const char* reason, ErrorKind kind) {
  if (reason_ == nullptr) {
    reason_ = reason;
    kind_ = kind;
    failed_at_ = static_cast<std::size_t>(next_ - begin_);
  }
  next_ = end_;
}

Result<void> ByteReader::status() const {
  if (ok()) return {};
  return cohort::fail(kind_, fmt::format("{} (at byte {} of {})", reason_, failed_at_, end_ - begin_));
}

Result<void> ByteReader::finish() {
  if (ok() && remaining() != 0) fail("bytes left over after the end");
  return status();
}

std::uint32_t ByteReader::long_unsigned_varint() {
  std::uint32_t value = 0;
  for (std::uint32_t shift = 0; shift < 35; shift += 7) {
    if (next_ == end_) {
      fail("ends in the middle of a varint");
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(*next_++);
    // The fifth byte has room for four bits.
    if (shift == 28 && byte > 0x0f) break;
    value |= static_cast<std::uint32_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return value;
  }
  fail("a varint is longer than 32 bits");
  return 0;
}

std::int32_t ByteReader::varint() {
  const std::uint32_t raw = unsigned_varint();
  return static_cast<std::int32_t>((raw >> 1U) ^ (~(raw & 1U) + 1U));
}

std::int64_t ByteReader::varlong() {
  std::uint64_t raw = 0;
  for (std::uint32_t shift = 0; shift < 70; shift += 7) {
    if (next_ == end_) {
      fail("ends in the middle of a varlong");
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(*next_++);
    if (shift == 63 && byte > 0x01) break;
    raw |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
    if (byte < 0x80) return static_cast<std::int64_t>((raw >> 1U) ^ (~(raw & 1U) + 1U));
  }
  fail("a varlong is longer than 64 bits");
  return 0;
}

std::optional<std::size_t> ByteReader::string_size(bool compact) {
  std::size_t size = 0;
  if (compact) {
    const std::uint32_t announced = unsigned_varint();
    if (announced == 0) return std::nullopt;
    size = announced - 1;
    if (size > kMaxStringSize) {
      fail("a string is longer than 32767 bytes", ErrorKind::kTooLarge);
      return 0;
    }
  } else {
    const std::int16_t announced = int16();
    if (announced < 0) {
      if (announced != -1) fail("a string has a negative length");
      return std::nullopt;
    }
    size = static_cast<std::size_t>(announced);
  }
  return size;
}

std::optional<std::size_t> ByteReader::bytes_size(bool compact) {
  if (compact) {
    const std::uint32_t announced = unsigned_varint();
    if (announced == 0) return std::nullopt;
    return announced - 1;
  }
  const std::int32_t announced = int32();
  if (announced < 0) {
    if (announced != -1) fail("a bytes field has a negative length");
    return std::nullopt;
  }
  return static_cast<std::size_t>(announced);
}

std::optional<Text> ByteReader::nullable_string(bool compact) {
  const auto size = string_size(compact);
  if (!ok() || !size) return std::nullopt;
  const auto view = raw(*size);
  return Text::borrow({reinterpret_cast<const char*>(view.data()), view.size()});
}

Text ByteReader::string(bool compact) {
  const auto size = string_size(compact);
  if (!size) {
    fail("a string is null that must not be");
    return {};
  }
  const auto view = raw(*size);
  return Text::borrow({reinterpret_cast<const char*>(view.data()), view.size()});
}

std::optional<Bytes> ByteReader::nullable_bytes(bool compact) {
  const auto size = bytes_size(compact);
  if (!ok() || !size) return std::nullopt;
  return Bytes::borrow(raw(*size));
}

Bytes ByteReader::bytes(bool compact) {
  const auto size = bytes_size(compact);
  if (!size) {
    fail("a bytes field is null that must not be");
    return {};
  }
  return Bytes::borrow(raw(*size));
}

std::optional<std::size_t> ByteReader::nullable_array_count(bool compact) {
  std::size_t count = 0;
  if (compact) {
    const std::uint32_t announced = unsigned_varint();
    if (announced == 0) return std::nullopt;
    count = announced - 1;
  } else {
    const std::int32_t announced = int32();
    if (announced < 0) {
      if (announced != -1) fail("an array has a negative length");
      return std::nullopt;
    }
    count = static_cast<std::size_t>(announced);
  }
  if (count > kMaxArrayElements) {
    fail("an array has more than 1000000 elements", ErrorKind::kTooLarge);
    return 0;
  }
  if (count > remaining()) {
    fail("an array announces more elements than there are bytes left");
    return 0;
  }
  return count;
}

std::size_t ByteReader::array_count(bool compact) {
  const auto count = nullable_array_count(compact);
  if (!count) fail("an array is null that must not be");
  return count.value_or(0);
}

bool ByteReader::struct_is_present() {
  const std::int8_t marker = int8();
  if (ok() && marker != 1 && marker != -1) fail("the marker of a nullable struct is neither -1 nor 1");
  return marker == 1;
}

bool ByteReader::tagged_struct_is_present() {
  const std::uint32_t marker = unsigned_varint();
  if (ok() && marker > 1) fail("the marker of a nullable tagged struct is neither 0 nor 1");
  return marker == 1;
}

std::size_t ByteReader::tagged_field_count() {
  const std::uint32_t count = unsigned_varint();
  if (count > kMaxTaggedFields) {
    fail("a struct has more than 10000 tagged fields", ErrorKind::kTooLarge);
    return 0;
  }
  return count;
}

ByteReader::TagHead ByteReader::next_tag(TagHead previous) {
  const std::int64_t tag = unsigned_varint();
  const std::size_t size = unsigned_varint();
  if (tag <= previous.tag) fail("tags do not ascend");
  if (size > remaining()) fail("a tagged field is longer than the bytes left");
  if (!ok()) return previous;
  return {tag, size};
}

void ByteReader::unknown_tag(TagHead head, TaggedFields& into) {
  const auto data = raw(head.size);
  if (ok()) into.append(static_cast<std::uint32_t>(head.tag), Bytes::borrow(data));
}

}  // namespace cohort::protocol
