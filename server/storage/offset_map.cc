#include "server/storage/offset_map.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace cohort::storage {
namespace {

constexpr std::uint64_t kLeastSlots = 4;

std::uint64_t with_room(std::uint64_t keys) {
  return keys + keys / 8 + kLeastSlots;
}

}  // namespace

// At most nine tenths are used (Kafka: log.cleaner.io.buffer.load.factor), so that a search stays short.
OffsetMap::OffsetMap(std::size_t max_bytes, std::uint64_t most_keys)
    : slots_(std::clamp(with_room(most_keys), kLeastSlots,
                        std::max<std::uint64_t>(max_bytes / sizeof(Slot), kLeastSlots))),
      limit_(slots_.size() * 9 / 10) {}

std::size_t OffsetMap::find(std::uint64_t low, std::uint64_t high) const {
  std::size_t at = low % slots_.size();
  while (slots_[at].offset >= 0 && (slots_[at].low != low || slots_[at].high != high)) {
    at = at + 1 == slots_.size() ? 0 : at + 1;
  }
  return at;
}

bool OffsetMap::put(std::span<const std::byte> key, std::int64_t offset) {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  Slot& slot = slots_[find(hash.low64, hash.high64)];
  if (slot.offset < 0) {
    if (size_ == limit_) return false;
    ++size_;
  }
  slot = {hash.low64, hash.high64, offset};
  return true;
}

std::int64_t OffsetMap::get(std::span<const std::byte> key) const {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  return slots_[find(hash.low64, hash.high64)].offset;
}

}  // namespace cohort::storage
