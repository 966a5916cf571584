#include "protocol/batch/snappy_stream.h"

#include <snappy.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "protocol/batch/codec_output.h"
#include "protocol/wire/big_endian.h"

namespace cohort::protocol::detail {
namespace {

constexpr std::size_t kHeaderSize = 16;
constexpr std::array<std::uint8_t, kHeaderSize> kHeader = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0,   // magic
                                                           0,    0,   0,   1,   0,   0,   0,   1};  // version, oldest
constexpr std::size_t kMagicSize = 8;
constexpr std::size_t kBlockSize = 32 * 1024;
// The densest element of raw snappy is a copy: 64 bytes from 3. A block that claims more per byte lies.
constexpr std::size_t kMostPerByte = 22;

bool has_magic(std::span<const std::byte> bytes) {
  return bytes.size() >= kHeaderSize && std::memcmp(bytes.data(), kHeader.data(), kMagicSize) == 0;
}

Result<void> append_block(std::span<const std::byte> block, CodecOutput& output) {
  const char* const data = reinterpret_cast<const char*>(block.data());
  std::size_t length = 0;
  if (!snappy::GetUncompressedLength(data, block.size(), &length) || length > block.size() * kMostPerByte) {
    return fail(ErrorKind::kMalformed, "a snappy block has no sound length");
  }
  if (length > output.left()) return fail(ErrorKind::kTooLarge, "snappy data grows beyond the limit");
  if (!snappy::RawUncompress(data, block.size(), reinterpret_cast<char*>(output.room_for(length)))) {
    return fail(ErrorKind::kMalformed, "a snappy block cannot be decoded");
  }
  output.wrote(length);
  return {};
}

}  // namespace

Result<void> snappy_decompress(std::span<const std::byte> input, std::size_t max_output, ByteBuffer& bytes) {
  CodecOutput output(bytes, max_output, input.size() * 2);
  if (!has_magic(input)) return append_block(input, output);
  std::span<const std::byte> rest = input;
  while (!rest.empty()) {
    if (has_magic(rest)) {  // streams may stand one after the other
      if (load_big_endian<std::uint32_t>(rest.data() + kMagicSize) < 1)
        return fail(ErrorKind::kMalformed, "unknown xerial snappy version");
      rest = rest.subspan(kHeaderSize);
      continue;
    }
    if (rest.size() < 4 || load_big_endian<std::uint32_t>(rest.data()) > rest.size() - 4) {
      return fail(ErrorKind::kMalformed, "a snappy block is longer than the bytes left");
    }
    const std::size_t block_size = load_big_endian<std::uint32_t>(rest.data());
    if (auto done = append_block(rest.subspan(4, block_size), output); !done) return done;
    rest = rest.subspan(4 + block_size);
  }
  return {};
}

void snappy_compress(std::span<const std::byte> input, ByteBuffer& output) {
  output.append(std::as_bytes(std::span(kHeader)));
  while (!input.empty()) {
    const auto block = input.first(std::min(input.size(), kBlockSize));
    std::byte* const at = output.prepare(4 + snappy::MaxCompressedLength(block.size()));
    std::size_t length = 0;
    snappy::RawCompress(reinterpret_cast<const char*>(block.data()), block.size(), reinterpret_cast<char*>(at + 4),
                        &length);
    store_big_endian(at, static_cast<std::int32_t>(length));
    output.commit(4 + length);
    input = input.subspan(block.size());
  }
}

}  // namespace cohort::protocol::detail
