// ByteWriter: appends Kafka's wire types to a ByteBuffer or a ResponseBuffer that the caller owns.
//
// What a message says but its version cannot carry (null where null is not allowed, a value of a field that the version
// does not have, a string that is too long) is a sticky error: the first one is remembered, the caller asks once at the
// end and drops what was written. Used for one message or one frame; not thread-safe.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "protocol/base/result.h"
#include "protocol/types/uuid.h"
#include "protocol/wire/big_endian.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/bytes.h"
#include "protocol/wire/records.h"
#include "protocol/wire/response_buffer.h"
#include "protocol/wire/tagged_fields.h"
#include "protocol/wire/text.h"

namespace cohort::protocol {

inline constexpr std::uint64_t kNoTagLimit = UINT64_MAX;

class ByteWriter {
 public:
  // Appends behind what the buffer holds. The buffer must outlive the writer and be left alone meanwhile.
  explicit ByteWriter(ByteBuffer& buffer) : buffer_(buffer) {}
  // The same; large records are attached, not copied.
  explicit ByteWriter(ResponseBuffer& response)
      : buffer_(response.bytes), response_(&response), attachments_before_(response.attachments.size()) {}

  bool ok() const { return reason_ == nullptr; }
  const char* reason() const { return reason_; }  // null while ok
  Result<void> status() const;                    // kInvalid with the reason
  // The first call counts. `reason` must live for ever.
  void fail(const char* reason) {
    if (reason_ == nullptr) reason_ = reason;
  }

  ByteBuffer& buffer() { return buffer_; }
  // Place of the next byte in the buffer.
  std::size_t position() const { return buffer_.size(); }
  // How much this writer has attached to a response.
  std::size_t attached_bytes() const { return attached_bytes_; }
  // Takes back what was written from `position` on, which must be where this writer began, and all it has attached.
  void take_back(std::size_t position);
  // Overwrites what was written at `position`, for example a size that is known only now.
  void patch_int32(std::size_t position, std::int32_t value) { store_big_endian(buffer_.data() + position, value); }

  void int8(std::int8_t value) { fixed(value); }
  void int16(std::int16_t value) { fixed(value); }
  void uint16(std::uint16_t value) { fixed(value); }
  void int32(std::int32_t value) { fixed(value); }
  void uint32(std::uint32_t value) { fixed(value); }
  void int64(std::int64_t value) { fixed(value); }
  void boolean(bool value) { fixed(static_cast<std::int8_t>(value)); }
  void float64(double value) { fixed(std::bit_cast<std::uint64_t>(value)); }
  void uuid(const Uuid& value) {
    fixed(value.high());
    fixed(value.low());
  }
  void unsigned_varint(std::uint32_t value);
  void varint(std::int32_t value);   // zigzag
  void varlong(std::int64_t value);  // zigzag
  void raw(std::span<const std::byte> bytes) { buffer_.append(bytes); }

  // compact: length + 1 as unsigned varint (flexible versions); otherwise a 16-bit length for strings and a 32-bit one
  // for bytes and arrays.
  void string(std::string_view value, bool compact);
  void nullable_string(const std::optional<Text>& value, bool compact);
  void bytes(std::span<const std::byte> value, bool compact);
  void nullable_bytes(const std::optional<Bytes>& value, bool compact);
  // Not within a tagged field. Those of a file can only be attached: in front of a ByteBuffer they are an error.
  void records(const Records& value, bool compact);
  void nullable_records(const std::optional<Records>& value, bool compact);
  void array_count(std::size_t count, bool compact);
  void null_array(bool compact);

  void struct_is_present(bool present) { int8(present ? 1 : -1); }
  void tagged_struct_is_present(bool present) { unsigned_varint(present ? 1 : 0); }

  // A tagged field: begin_tag(), its value, end_tag() with what begin_tag() returned.
  std::size_t begin_tag(std::uint32_t tag);
  void end_tag(std::size_t begin);
  // Writes those of `unknown` that start at `next` and are below `limit`, the tag of a known field (kNoTagLimit after
  // the last); returns the index of the first not written. An unknown tag that is a known one after all is an error.
  std::size_t unknown_tags(std::span<const TaggedField> unknown, std::size_t next, std::uint64_t limit);

 private:
  template <std::integral T>
  void fixed(T value) {
    store_big_endian(buffer_.prepare(sizeof(T)), value);
    buffer_.commit(sizeof(T));
  }

  void bytes_size(std::size_t size, bool compact);

  ByteBuffer& buffer_;
  ResponseBuffer* response_ = nullptr;
  std::size_t attachments_before_ = 0;
  std::size_t attached_bytes_ = 0;
  const char* reason_ = nullptr;
};

}  // namespace cohort::protocol
