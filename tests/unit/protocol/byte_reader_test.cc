#include "protocol/wire/byte_reader.h"

#include <catch2/catch.hpp>

namespace cohort::protocol {
namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> out;
  for (const int value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

// What a read of these bytes fails with; "" when it does not.
template <typename Read>
std::string problem(const std::vector<std::byte>& from, Read read) {
  ByteReader reader(from);
  read(reader);
  if (reader.ok()) return "";
  CHECK(reader.remaining() == 0);
  return reader.reason();
}

TEST_CASE("numbers are big-endian") {
  const auto from =
      bytes({0x80, 0xff, 0xfe, 0x01, 0x02, 0x03, 0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd, 2});
  ByteReader reader(from);
  CHECK(reader.int8() == -128);
  CHECK(reader.int16() == -2);
  CHECK(reader.int32() == 0x01020304);
  CHECK(reader.int64() == -3);
  CHECK(reader.boolean());
  CHECK(reader.finish());
}

TEST_CASE("varints") {
  const auto read_one = [](std::initializer_list<int> values) {
    const auto from = bytes(values);
    ByteReader reader(from);
    const auto value = reader.unsigned_varint();
    REQUIRE(reader.finish());
    return value;
  };
  CHECK(read_one({0}) == 0);
  CHECK(read_one({0x7f}) == 127);
  CHECK(read_one({0x80, 0x01}) == 128);
  CHECK(read_one({0xff, 0xff, 0xff, 0xff, 0x0f}) == 0xffffffffU);
  const auto varint = [](ByteReader& reader) { reader.unsigned_varint(); };
  CHECK(problem(bytes({}), varint) == "ends in the middle of a varint");
  CHECK(problem(bytes({0x80, 0x80}), varint) == "ends in the middle of a varint");
  CHECK(problem(bytes({0xff, 0xff, 0xff, 0xff, 0x1f}), varint) == "a varint is longer than 32 bits");
  CHECK(problem(bytes({0x80, 0x80, 0x80, 0x80, 0x80, 0x00}), varint) == "a varint is longer than 32 bits");
}

TEST_CASE("zigzag numbers") {
  const auto from =
      bytes({0x01, 0x02, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01});
  ByteReader reader(from);
  CHECK(reader.varint() == -1);
  CHECK(reader.varint() == 1);
  CHECK(reader.varint() == std::numeric_limits<std::int32_t>::min());
  CHECK(reader.varlong() == std::numeric_limits<std::int64_t>::max());
  CHECK(reader.finish());
  const auto varlong = [](ByteReader& r) { r.varlong(); };
  CHECK(problem(bytes({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03}), varlong) ==
        "a varlong is longer than 64 bits");
}

TEST_CASE("strings borrow from the bytes") {
  const auto from = bytes({0, 2, 'a', 'b', 0xff, 0xff, 3, 'c', 'd', 0});
  ByteReader reader(from);
  const Text first = reader.string(false);
  CHECK(first == "ab");
  CHECK(static_cast<const void*>(first.data()) == from.data() + 2);
  CHECK(reader.nullable_string(false) == std::nullopt);
  CHECK(reader.string(true) == "cd");
  CHECK(reader.nullable_string(true) == std::nullopt);
  CHECK(reader.finish());
}

TEST_CASE("strings and bytes that cannot be") {
  const auto string = [](ByteReader& r) { r.string(false); };
  const auto compact = [](ByteReader& r) { r.string(true); };
  const auto nullable = [](ByteReader& r) { r.nullable_string(false); };
  CHECK(problem(bytes({0xff, 0xff}), string) == "a string is null that must not be");
  CHECK(problem(bytes({0}), compact) == "a string is null that must not be");
  CHECK(problem(bytes({0xff, 0xfe}), nullable) == "a string has a negative length");
  CHECK(problem(bytes({0, 3, 'a', 'b'}), string) == "more bytes announced than there are");
  CHECK(problem(bytes({0x81, 0x80, 0x02, 'a'}), compact) == "a string is longer than 32767 bytes");
  const auto blob = [](ByteReader& r) { r.bytes(false); };
  const auto compact_blob = [](ByteReader& r) { r.nullable_bytes(true); };
  CHECK(problem(bytes({0x7f, 0xff, 0xff, 0xff}), blob) == "more bytes announced than there are");
  CHECK(problem(bytes({0xff, 0xff, 0xff, 0xff}), blob) == "a bytes field is null that must not be");
  CHECK(problem(bytes({0xff, 0xff, 0xff, 0xff, 0x0f}), compact_blob) == "more bytes announced than there are");
}

TEST_CASE("array counts are checked before anybody allocates") {
  const auto array = [](ByteReader& r) { r.array_count(false); };
  CHECK(problem(bytes({0, 0, 0, 3, 1, 2}), array) == "an array announces more elements than there are bytes left");
  CHECK(problem(bytes({0xff, 0xff, 0xff, 0xff}), array) == "an array is null that must not be");
  CHECK(problem(bytes({0xff, 0xff, 0xff, 0xfe}), array) == "an array has a negative length");
  std::vector<std::byte> many(kMaxArrayElements + 5);
  const auto head = bytes({0x00, 0x0f, 0x42, 0x41});  // 1,000,001
  std::ranges::copy(head, many.begin());
  ByteReader reader(many);
  reader.array_count(false);
  REQUIRE_FALSE(reader.status());
  CHECK(reader.status().error().kind == ErrorKind::kTooLarge);
}

TEST_CASE("tagged fields must ascend and fit") {
  const auto section = [](ByteReader& reader) {
    TaggedFields fields;
    const std::size_t count = reader.tagged_field_count();
    ByteReader::TagHead head;
    for (std::size_t i = 0; i < count && reader.ok(); ++i) {
      head = reader.next_tag(head);
      reader.unknown_tag(head, fields);
    }
  };
  CHECK(problem(bytes({2, 0, 1, 'a', 7, 0}), section).empty());
  CHECK(problem(bytes({2, 7, 0, 0, 0}), section) == "tags do not ascend");
  CHECK(problem(bytes({2, 7, 0, 7, 0}), section) == "tags do not ascend");
  CHECK(problem(bytes({1, 0, 2, 'a'}), section) == "a tagged field is longer than the bytes left");
  CHECK(problem(bytes({0x91, 0x4e}), section) == "a struct has more than 10000 tagged fields");
}

TEST_CASE("the first failure stays, and later reads are empty") {
  const auto from = bytes({0, 0, 0, 1, 5});
  ByteReader reader(from);
  CHECK(reader.int32() == 1);
  CHECK(reader.int16() == 0);
  CHECK(reader.offset() == 4);
  CHECK(reader.uuid() == Uuid());
  CHECK(reader.string(true).empty());
  CHECK(reader.nullable_bytes(false) == std::nullopt);
  CHECK(reader.nullable_array_count(true).value_or(0) == 0);
  CHECK_FALSE(reader.struct_is_present());
  REQUIRE_FALSE(reader.finish());
  CHECK(reader.finish().error().message == "ends in the middle of a number (at byte 4 of 5)");
}

TEST_CASE("bytes left over are an error") {
  const auto from = bytes({1, 2});
  ByteReader reader(from);
  reader.int8();
  CHECK(reader.status());
  CHECK_FALSE(reader.finish());
}

}  // namespace
}  // namespace cohort::protocol
