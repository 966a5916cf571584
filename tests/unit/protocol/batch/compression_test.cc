#include "protocol/batch/compression.h"

#include <catch2/catch.hpp>
#include <random>

#include "protocol/wire/byte_buffer.h"
#include "tests/unit/protocol/batch/batch_bytes.h"

namespace cohort::protocol {
namespace {

using test::ByteVector;

constexpr Compression kCodecs[] = {Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd};

ByteVector compressed(Compression codec, std::span<const std::byte> input) {
  ByteBuffer output;
  REQUIRE(compress(codec, input, output));
  return test::copy_of(output.view());
}

ErrorKind refusal(Compression codec, std::span<const std::byte> input, std::size_t limit = 1 << 20) {
  ByteBuffer output;
  const auto done = decompress(codec, input, limit, output);
  REQUIRE_FALSE(done);
  CHECK(output.capacity() <= std::max<std::size_t>(limit, 256));
  return done.error().kind;
}

std::string unpacked(Compression codec, std::span<const std::byte> input) {
  ByteBuffer output;
  const auto done = decompress(codec, input, 1 << 20, output);
  REQUIRE(done);
  return test::text_of(output.view());
}

ByteVector joined(std::initializer_list<ByteVector> parts) {
  ByteVector all;
  for (const ByteVector& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

TEST_CASE("compression: names and numbers are Kafka's") {
  CHECK(compression_name(Compression::kNone) == "none");
  CHECK(compression_name(Compression::kGzip) == "gzip");
  CHECK(compression_name(Compression::kSnappy) == "snappy");
  CHECK(compression_name(Compression::kLz4) == "lz4");
  CHECK(compression_name(Compression::kZstd) == "zstd");
  CHECK(static_cast<int>(Compression::kZstd) == 4);
}

TEST_CASE("compression: what goes in comes out, and the limit is exact") {
  std::mt19937 random(4);
  for (const Compression codec :
       {Compression::kNone, Compression::kGzip, Compression::kSnappy, Compression::kLz4, Compression::kZstd}) {
    ByteBuffer output;
    for (const std::size_t size : {0U, 1U, 100U, 4096U, 32'768U, 32'769U, 65'536U, 200'000U}) {
      for (const bool is_noise : {false, true}) {
        INFO(compression_name(codec) << " " << size << " " << is_noise);
        ByteVector input(size);
        for (std::byte& byte : input) byte = static_cast<std::byte>(is_noise ? random() : 7);
        const ByteVector packed = compressed(codec, input);
        REQUIRE(decompress(codec, packed, size, output));
        REQUIRE(test::copy_of(output.view()) == input);
        if (size > 0) REQUIRE(refusal(codec, packed, size - 1) == ErrorKind::kTooLarge);
      }
    }
  }
}

TEST_CASE("compression: a bomb is refused within the limit") {
  const ByteVector zeros(50 << 20);
  for (const Compression codec : kCodecs) {
    INFO(compression_name(codec));
    const ByteVector bomb = compressed(codec, zeros);
    CHECK(refusal(codec, bomb, 100'000) == ErrorKind::kTooLarge);
    CHECK(refusal(codec, bomb, 0) == ErrorKind::kTooLarge);
  }
}

TEST_CASE("compression: cut short, garbage and bytes behind the end are malformed") {
  const std::string text(1000, 'x');
  for (const Compression codec : kCodecs) {
    INFO(compression_name(codec));
    const ByteVector packed = compressed(codec, test::span_of(text + "end"));
    for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, packed.size() / 2}) {
      CHECK(refusal(codec, std::span(packed).first(packed.size() - cut)) == ErrorKind::kMalformed);
    }
    CHECK(refusal(codec, {}) == ErrorKind::kMalformed);
    CHECK(refusal(codec, test::bytes_of({0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})) ==
          ErrorKind::kMalformed);
    CHECK(refusal(codec, joined({packed, test::bytes_of({1, 2, 3})})) == ErrorKind::kMalformed);
  }
}

TEST_CASE("compression: the memory of the output is used again") {
  ByteBuffer output;
  const ByteVector packed = compressed(Compression::kZstd, test::span_of(std::string(20'000, 'a')));
  REQUIRE(decompress(Compression::kZstd, packed, 1 << 20, output));
  const std::byte* const memory = output.data();
  for (const Compression codec : kCodecs) {
    REQUIRE(decompress(codec, compressed(codec, test::span_of("short")), 1 << 20, output));
    CHECK(test::text_of(output.view()) == "short");
    CHECK(output.data() == memory);
  }
}

TEST_CASE("gzip: members one after the other") {
  const auto codec = Compression::kGzip;
  const ByteVector both = joined({compressed(codec, test::span_of("one ")), compressed(codec, test::span_of("two"))});
  CHECK(unpacked(codec, both) == "one two");
}

TEST_CASE("snappy: xerial streams, one after the other, and raw blocks") {
  const auto codec = Compression::kSnappy;
  const ByteVector header = test::bytes_of({0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 1, 0, 0, 0, 1});
  const ByteVector raw = test::bytes_of({5, 4 << 2, 'h', 'e', 'l', 'l', 'o'});  // length, a literal of five bytes
  const ByteVector block = joined({test::bytes_of({0, 0, 0, 7}), raw});

  const ByteVector written = compressed(codec, test::span_of("hello"));
  CHECK(written == joined({header, block}));
  CHECK(unpacked(codec, raw) == "hello");
  CHECK(unpacked(codec, joined({header, block, block})) == "hellohello");
  CHECK(unpacked(codec, joined({header, block, header, block})) == "hellohello");
  CHECK(unpacked(codec, header).empty());

  CHECK(refusal(codec, joined({header, test::bytes_of({0, 0, 0, 8}), raw})) == ErrorKind::kMalformed);
  CHECK(refusal(codec, joined({header, test::bytes_of({0xff, 0xff, 0xff, 0xff}), raw})) == ErrorKind::kMalformed);
  const ByteVector version_0 = test::bytes_of({0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(refusal(codec, joined({version_0, block})) == ErrorKind::kMalformed);
  // A block that claims more than any block of its size can hold reserves nothing.
  CHECK(refusal(codec, test::bytes_of({0xff, 0xff, 0x3f, 0, 'a'})) == ErrorKind::kMalformed);
}

TEST_CASE("lz4: only what Kafka's reader takes") {
  const auto codec = Compression::kLz4;
  const ByteVector good = compressed(codec, test::span_of("hello"));
  CHECK(unpacked(codec, good) == "hello");
  const auto changed = [&](std::size_t at, int value) {
    ByteVector bytes = good;
    bytes[at] = static_cast<std::byte>(value);
    return bytes;
  };
  const int flags = std::to_integer<int>(good[4]);
  CHECK((flags & 0x20) != 0);                                                 // independent blocks
  CHECK(std::to_integer<int>(good[5]) == 0x40);                               // of 64 KiB
  CHECK(refusal(codec, changed(4, flags & ~0x20)) == ErrorKind::kMalformed);  // dependent blocks
  CHECK(refusal(codec, changed(4, flags | 0x01)) == ErrorKind::kMalformed);   // a dictionary
  CHECK(refusal(codec, changed(5, 0x30)) == ErrorKind::kMalformed);           // a block size that does not exist
  CHECK(refusal(codec, changed(6, std::to_integer<int>(good[6]) ^ 1)) == ErrorKind::kMalformed);  // header checksum
}

TEST_CASE("lz4: a bad frame does not spoil the next one") {
  const auto codec = Compression::kLz4;
  const ByteVector good = compressed(codec, test::span_of("hello"));
  // A frame that announces 5 bytes of content and ends after none. One of all the header checksums is the right one.
  for (int checksum = 0; checksum < 256; ++checksum) {
    ByteVector bad = test::bytes_of({0x04, 0x22, 0x4d, 0x18, 0x68, 0x40, 5, 0, 0, 0, 0, 0, 0, 0, checksum, 0, 0, 0, 0});
    CHECK(refusal(codec, bad) == ErrorKind::kMalformed);
    CHECK(unpacked(codec, good) == "hello");
  }
}

TEST_CASE("zstd: frames one after the other, frames to skip, and windows that cost nothing") {
  const auto codec = Compression::kZstd;
  const ByteVector one = compressed(codec, test::span_of("one "));
  const ByteVector two = compressed(codec, test::span_of("two"));
  const ByteVector skip = test::bytes_of({0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 9, 9, 9});
  CHECK(unpacked(codec, joined({one, skip, two})) == "one two");
  // No content size, a window of 128 MiB (exponent 17), one raw block: what high levels write for a short stream.
  const ByteVector wide =
      test::bytes_of({0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, (5 << 3) | 1, 0, 0, 'h', 'e', 'l', 'l', 'o'});
  CHECK(unpacked(codec, wide) == "hello");
  // 40 blocks, each a byte to be repeated 100,000 times: the output grows step by step, over several tries.
  ByteVector runs = test::bytes_of({0x28, 0xb5, 0x2f, 0xfd, 0, 10 << 3});
  for (int i = 0; i < 40; ++i) {
    const unsigned head = (100'000U << 3) | (1U << 1) | (i == 39 ? 1U : 0U);
    for (int k = 0; k < 3; ++k) runs.push_back(static_cast<std::byte>(head >> (8 * k)));
    runs.push_back(std::byte{'r'});
  }
  ByteBuffer output;
  REQUIRE(decompress(codec, runs, 4'000'000, output));
  CHECK(output.size() == 4'000'000);
  CHECK(refusal(codec, runs, 3'999'999) == ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace cohort::protocol
