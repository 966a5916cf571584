#include "protocol/wire/byte_writer.h"

#include <cstring>
#include <limits>

#include "protocol/wire/byte_reader.h"

namespace cohort::protocol {
namespace {

constexpr std::size_t kMaxVarintSize = 5;
constexpr std::size_t kMaxBytesSize = std::numeric_limits<std::int32_t>::max();  // not reached

std::size_t store_unsigned_varint(std::byte* to, std::uint64_t value) {
  std::size_t size = 0;
  while (value >= 0x80) {
    to[size++] = static_cast<std::byte>(value | 0x80U);
    value >>= 7U;
  }
  to[size++] = static_cast<std::byte>(value);
  return size;
}

}  // namespace

Result<void> ByteWriter::status() const {
  if (ok()) return {};
  return cohort::fail(ErrorKind::kInvalid, reason_);
}

void ByteWriter::unsigned_varint(std::uint32_t value) {
  buffer_.commit(store_unsigned_varint(buffer_.prepare(kMaxVarintSize), value));
}

void ByteWriter::varint(std::int32_t value) {
  unsigned_varint((static_cast<std::uint32_t>(value) << 1U) ^ static_cast<std::uint32_t>(value >> 31));
}

void ByteWriter::varlong(std::int64_t value) {
  const std::uint64_t zigzag = (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
  buffer_.commit(store_unsigned_varint(buffer_.prepare(2 * kMaxVarintSize), zigzag));
}

void ByteWriter::string(std::string_view value, bool compact) {
  if (value.size() > kMaxStringSize) {
    fail("a string is longer than 32767 bytes");
    value = {};
  }
  if (compact)
    unsigned_varint(static_cast<std::uint32_t>(value.size() + 1));
  else
    int16(static_cast<std::int16_t>(value.size()));
  raw(std::as_bytes(std::span(value)));
}

void ByteWriter::nullable_string(const std::optional<Text>& value, bool compact) {
  if (value) return string(*value, compact);
  if (compact)
    unsigned_varint(0);
  else
    int16(-1);
}

void ByteWriter::bytes_size(std::size_t size, bool compact) {
  if (compact)
    unsigned_varint(static_cast<std::uint32_t>(size + 1));
  else
    int32(static_cast<std::int32_t>(size));
}

void ByteWriter::bytes(std::span<const std::byte> value, bool compact) {
  if (value.size() >= kMaxBytesSize) {
    fail("a bytes field is longer than 2147483646 bytes");
    value = {};
  }
  bytes_size(value.size(), compact);
  raw(value);
}

void ByteWriter::nullable_bytes(const std::optional<Bytes>& value, bool compact) {
  if (value) return bytes(value->view(), compact);
  null_array(compact);
}

void ByteWriter::records(const Records& value, bool compact) {
  const bool in_file = value.region() != nullptr;
  if (in_file && (response_ == nullptr || value.size() >= kMaxBytesSize)) {
    return fail("records of a file can only be attached to a response");
  }
  const bool attach = response_ != nullptr && value.size() < kMaxBytesSize &&
                      (in_file || (value.size() >= ResponseBuffer::kAttachFrom && !value.bytes().is_borrowed()));
  if (!attach) return bytes(value.view(), compact);
  bytes_size(value.size(), compact);
  response_->attach(value);
  attached_bytes_ += value.size();
}

void ByteWriter::nullable_records(const std::optional<Records>& value, bool compact) {
  if (value) return records(*value, compact);
  null_array(compact);
}

void ByteWriter::take_back(std::size_t position) {
  if (response_ != nullptr)
    response_->truncate(position, attachments_before_);
  else
    buffer_.truncate(position);
  attached_bytes_ = 0;
}

void ByteWriter::array_count(std::size_t count, bool compact) {
  // Nobody could read it back: the reader's limit holds here too.
  if (count > kMaxArrayElements) {
    fail("an array has more than 1000000 elements");
    count = 0;
  }
  if (compact)
    unsigned_varint(static_cast<std::uint32_t>(count + 1));
  else
    int32(static_cast<std::int32_t>(count));
}

void ByteWriter::null_array(bool compact) {
  if (compact)
    unsigned_varint(0);
  else
    int32(-1);
}

std::size_t ByteWriter::begin_tag(std::uint32_t tag) {
  unsigned_varint(tag);
  return position();
}

void ByteWriter::end_tag(std::size_t begin) {
  // The size stands in front of the value and is known only now. Its varint is nearly always one byte, so the value is
  // moved up by it rather than measured first.
  const std::size_t size = position() - begin;
  std::byte head[kMaxVarintSize];
  const std::size_t head_size = store_unsigned_varint(head, size);
  buffer_.prepare(head_size);
  std::byte* at = buffer_.data() + begin;
  std::memmove(at + head_size, at, size);
  std::memcpy(at, head, head_size);
  buffer_.commit(head_size);
}

std::size_t ByteWriter::unknown_tags(std::span<const TaggedField> unknown, std::size_t next, std::uint64_t limit) {
  for (; next < unknown.size() && unknown[next].tag < limit; ++next) {
    unsigned_varint(unknown[next].tag);
    unsigned_varint(static_cast<std::uint32_t>(unknown[next].data.size()));
    raw(unknown[next].data.view());
  }
  if (next < unknown.size() && unknown[next].tag == limit) fail("an unknown tagged field has the tag of a known one");
  return next;
}

}  // namespace cohort::protocol
