#include "server/coordinator/core/id_map.h"

#define XXH_INLINE_ALL  // header only: nothing to link
#include <xxhash.h>

#include <cstdint>

namespace cohort::coordinator {

std::size_t IdHash::operator()(std::string_view id) const noexcept {
  // Where the loader has put it: different in each process.
  static const char kSomewhere = 0;
  return XXH3_64bits_withSeed(id.data(), id.size(), reinterpret_cast<std::uintptr_t>(&kSomewhere));
}

}  // namespace cohort::coordinator
