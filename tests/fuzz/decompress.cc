// Any bytes as compressed data: no crash, and neither more output nor more memory than allowed.
// The first byte chooses the codec, the second the limit. As it stands the rest is input of the decoder; then, because
// no mutation guesses checksums and magic numbers, a part of it is compressed, damaged in places that the other part
// names, and decoded.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "protocol/base/check.h"
#include "protocol/batch/compression.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol {
namespace {

bool unpack(Compression codec, std::span<const std::byte> input, std::size_t limit, ByteBuffer& output) {
  const std::size_t before = output.capacity();
  const bool is_done = decompress(codec, input, limit, output).has_value();
  // A new ByteBuffer takes 256 bytes at least.
  CHECK(output.capacity() <= std::max({limit, before, std::size_t{256}}));
  CHECK(!is_done || output.size() <= limit);
  return is_done;
}

void damage_and_unpack(Compression codec, std::span<const std::byte> input, std::size_t limit) {
  constexpr std::size_t kEdits = 4;
  constexpr std::size_t kEditSize = 3;  // two bytes of place, one to combine with
  if (input.size() < kEdits * kEditSize) return;
  const auto edits = input.first(kEdits * kEditSize);
  const auto plain = input.subspan(kEdits * kEditSize);

  ByteBuffer packed;
  CHECK(compress(codec, plain, packed).has_value());
  ByteBuffer output;
  CHECK(unpack(codec, packed.view(), plain.size(), output));
  CHECK(std::ranges::equal(output.view(), plain));
  if (!plain.empty()) CHECK(!unpack(codec, packed.view(), plain.size() - 1, output));

  std::vector<std::byte> damaged(packed.view().begin(), packed.view().end());
  if (damaged.empty()) return;
  for (std::size_t i = 0; i < kEdits; ++i) {
    const auto edit = edits.subspan(i * kEditSize, kEditSize);
    const std::size_t place = std::to_integer<std::size_t>(edit[0]) * 256 + std::to_integer<std::size_t>(edit[1]);
    damaged[place % damaged.size()] ^= edit[2];
    unpack(codec, damaged, limit, output);
  }
  damaged.resize(damaged.size() - std::min(damaged.size(), std::to_integer<std::size_t>(edits.back()) / 8));
  unpack(codec, damaged, limit, output);
}

}  // namespace
}  // namespace cohort::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cohort::protocol;
  if (size < 2) return 0;
  const std::span<const std::byte> input(reinterpret_cast<const std::byte*>(data), size);
  const auto codec = static_cast<Compression>(data[0] % 5);
  const std::size_t limit = std::size_t{1} << (data[1] % 21);  // up to 1 MiB
  ByteBuffer output;
  unpack(codec, input.subspan(2), limit, output);
  damage_and_unpack(codec, input.subspan(2), limit);
  return 0;
}
