#include "protocol/batch/crc32c.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/unit/protocol/batch/batch_bytes.h"

namespace cohort::protocol {
namespace {

using test::ByteVector;

TEST_CASE("crc32c: known values") {
  CHECK(crc32c(ByteVector()) == 0);
  CHECK(crc32c(test::span_of("123456789")) == 0xe3069283);
  // RFC 3720, B.4.
  CHECK(crc32c(ByteVector(32, std::byte{0})) == 0x8a9136aa);
  CHECK(crc32c(ByteVector(32, std::byte{0xff})) == 0x62a8ab43);
  ByteVector ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) ascending[i] = static_cast<std::byte>(i);
  CHECK(crc32c(ascending) == 0x46dd794e);
}

ByteVector noise(std::size_t size) {
  std::mt19937 random(17);
  ByteVector bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

TEST_CASE("crc32c: tables and instruction agree at every length and alignment") {
  const ByteVector bytes = noise(20'000);
  const std::span<const std::byte> all(bytes);
  const auto same = [](std::span<const std::byte> part) {
    const std::uint32_t expected = detail::crc32c_tables(part, 0);
    return crc32c(part) == expected &&
           (!detail::crc32c_has_instruction() || detail::crc32c_instruction(part, 0) == expected);
  };
  for (std::size_t size = 0; size < 300; ++size) REQUIRE(same(all.subspan(size % 9, size)));
  // Around one, two and more rounds of three blocks of 1024.
  for (const std::size_t size : {3071U, 3072U, 3073U, 3079U, 6143U, 6144U, 6145U, 12'289U, 20'000U - 8U}) {
    for (std::size_t from = 0; from < 8; ++from) REQUIRE(same(all.subspan(from, size)));
  }
}

TEST_CASE("crc32c: the seed continues a checksum") {
  const ByteVector bytes = noise(10'000);
  const std::span<const std::byte> all(bytes);
  const std::uint32_t whole = crc32c(all);
  for (const std::size_t cut : {0U, 1U, 7U, 8U, 3072U, 5000U, 10'000U}) {
    CHECK(crc32c(all.subspan(cut), crc32c(all.first(cut))) == whole);
    CHECK(detail::crc32c_tables(all.subspan(cut), detail::crc32c_tables(all.first(cut), 0)) == whole);
  }
}

}  // namespace
}  // namespace cohort::protocol
