#include "protocol/wire/byte_writer.h"

#include <catch2/catch.hpp>

#include "protocol/wire/byte_reader.h"

namespace cohort::protocol {
namespace {

TEST_CASE("what is written is read back") {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  const std::int64_t values[] = {0, 1, -1, 63, 64, -64, -65, 8191, 8192, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
  for (const std::int64_t value : values) {
    writer.varlong(value);
    writer.varint(static_cast<std::int32_t>(value));
    writer.unsigned_varint(static_cast<std::uint32_t>(value));
    writer.int16(static_cast<std::int16_t>(value));
    writer.float64(static_cast<double>(value));
  }
  writer.uuid(Uuid(1, 2));
  REQUIRE(writer.status());
  ByteReader reader(buffer.view());
  for (const std::int64_t value : values) {
    CHECK(reader.varlong() == value);
    CHECK(reader.varint() == static_cast<std::int32_t>(value));
    CHECK(reader.unsigned_varint() == static_cast<std::uint32_t>(value));
    CHECK(reader.int16() == static_cast<std::int16_t>(value));
    CHECK(reader.float64() == static_cast<double>(value));
  }
  CHECK(reader.uuid() == Uuid(1, 2));
  CHECK(reader.finish());
}

TEST_CASE("a tagged field gets its size in front, whatever its length") {
  for (const std::size_t size : {0U, 1U, 127U, 128U, 20'000U}) {
    ByteBuffer buffer;
    ByteWriter writer(buffer);
    const std::vector<std::byte> payload(size, std::byte{7});
    const std::size_t begin = writer.begin_tag(3);
    writer.raw(payload);
    writer.end_tag(begin);
    ByteReader reader(buffer.view());
    const auto head = reader.next_tag({});
    CHECK(head.tag == 3);
    CHECK(head.size == size);
    CHECK(std::ranges::equal(reader.raw(size), payload));
    CHECK(reader.finish());
  }
}

TEST_CASE("strings above the 16-bit length are refused in both forms") {
  for (const bool compact : {false, true}) {
    ByteBuffer buffer;
    ByteWriter writer(buffer);
    writer.string(std::string(kMaxStringSize, 'a'), compact);
    CHECK(writer.ok());
    writer.string(std::string(kMaxStringSize + 1, 'a'), compact);
    CHECK_FALSE(writer.ok());
  }
}

TEST_CASE("the first failure stays") {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  writer.fail("first");
  writer.fail("second");
  REQUIRE_FALSE(writer.status());
  CHECK(writer.status().error().message == "first");
  CHECK(writer.status().error().kind == ErrorKind::kInvalid);
}

TEST_CASE("a size can be filled in later") {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  writer.int8(1);
  const std::size_t at = writer.position();
  writer.int32(0);
  writer.patch_int32(at, 0x01020304);
  ByteReader reader(buffer.view());
  CHECK(reader.int8() == 1);
  CHECK(reader.int32() == 0x01020304);
}

}  // namespace
}  // namespace cohort::protocol
