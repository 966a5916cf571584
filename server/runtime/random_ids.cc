#include "server/runtime/random_ids.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "protocol/base/check.h"

namespace cohort::runtime {
namespace {

void fill(std::byte* bytes, std::size_t size) {
  for (std::size_t have = 0; have < size;) {
    const ssize_t count = ::getrandom(bytes + have, size - have, 0);
    CHECK(count > 0 || errno == EINTR, "the operating system gives no random bytes");
    if (count > 0) have += static_cast<std::size_t>(count);
  }
}

}  // namespace

protocol::Uuid RandomIds::next_uuid() {
  constexpr std::uint64_t kVersionMask = 0xF000;
  constexpr std::uint64_t kVersion4 = 0x4000;
  constexpr std::uint64_t kVariantMask = std::uint64_t{3} << 62;
  constexpr std::uint64_t kVariant = std::uint64_t{2} << 62;
  while (true) {
    std::uint64_t halves[2];
    if (used_ + sizeof(halves) > bytes_.size()) {
      fill(bytes_.data(), bytes_.size());
      used_ = 0;
    }
    std::memcpy(halves, bytes_.data() + used_, sizeof(halves));
    used_ += sizeof(halves);
    const protocol::Uuid id((halves[0] & ~kVersionMask) | kVersion4, (halves[1] & ~kVariantMask) | kVariant);
    if (!id.to_string().starts_with('-')) return id;
  }
}

}  // namespace cohort::runtime
