#include "server/storage/offset_map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

namespace cohort::storage {
namespace {

constexpr std::size_t kLeastSlots = 5;
constexpr std::size_t kFirstSlots = 1024;

// At most nine tenths are used (Kafka: log.cleaner.io.buffer.load.factor), so that a search stays short.
constexpr std::size_t usable(std::size_t slots) {
  return slots * 9 / 10;
}

}  // namespace

OffsetMap::OffsetMap(std::size_t max_bytes)
    : max_slots_(std::max(max_bytes / sizeof(Slot), kLeastSlots)), slots_(std::min(max_slots_, kFirstSlots)) {}

std::size_t OffsetMap::find(std::uint64_t low, std::uint64_t high) const {
  std::size_t at = low % slots_.size();
  while (slots_[at].offset >= 0 && (slots_[at].low != low || slots_[at].high != high)) {
    at = at + 1 == slots_.size() ? 0 : at + 1;
  }
  return at;
}

// The old slots and the new ones are there together for a while, and the bound is for both. So the last step begins at
// a sixth of it, and takes what that leaves: at least two thirds of the bound can be used.
bool OffsetMap::grow() {
  const std::size_t now = slots_.size();
  if (now >= max_slots_ - now) return false;
  const std::size_t next = 6 * now >= max_slots_ ? max_slots_ - now : 2 * now;
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(next));
  for (const Slot& slot : before) {
    if (slot.offset >= 0) slots_[find(slot.low, slot.high)] = slot;
  }
  return true;
}

bool OffsetMap::put(std::span<const std::byte> key, std::int64_t offset) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  std::size_t at = find(hash.low64, hash.high64);
  if (slots_[at].offset < 0) {
    if (size_ == usable(slots_.size())) {
      if (!grow()) return false;
      at = find(hash.low64, hash.high64);
    }
    ++size_;
  }
  slots_[at] = {hash.low64, hash.high64, offset};
  return true;
}

std::int64_t OffsetMap::get(std::span<const std::byte> key) const {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return slots_[find(hash.low64, hash.high64)].offset;
}

}  // namespace cohort::storage
