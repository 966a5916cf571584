// OffsetMap: the last offset of each key of a part of a log, in bounded memory. Internal to storage.
//
// A plain value of one compaction. It grows with the keys: most logs have few, whatever the bound allows. Keys are
// known by 128 bits of their hash, as in Kafka (SkimpyOffsetMap): two keys with one hash would lose a record, which
// nobody will see happen by chance; a client that makes such keys on purpose harms its own topic. Why not a map of the
// keys: its memory would depend on what clients write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cohort::storage {

class OffsetMap {
 public:
  // Never takes more than max_bytes, not even while it grows (but room for four keys in any case).
  explicit OffsetMap(std::size_t max_bytes);

  // Offsets of a key only go up. False: full, nothing was changed.
  bool put(std::span<const std::byte> key, std::int64_t offset);
  std::int64_t get(std::span<const std::byte> key) const;  // -1: not there
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::int64_t offset = -1;  // -1: free
  };
  std::size_t find(std::uint64_t low, std::uint64_t high) const;  // its slot or the free one where it belongs
  bool grow();

  const std::size_t max_slots_;
  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace cohort::storage
