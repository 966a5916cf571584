#include "protocol/base/seeded_hash.h"

#define XXH_INLINE_ALL  // header only: nothing to link
#include <xxhash.h>

#include <cstdint>

namespace cohort {

std::size_t seeded_hash(const void* bytes, std::size_t size) noexcept {
  // Where the loader has put it: different in each process.
  static const char kSomewhere = 0;
  return XXH3_64bits_withSeed(bytes, size, reinterpret_cast<std::uintptr_t>(&kSomewhere));
}

}  // namespace cohort
