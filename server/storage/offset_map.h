// OffsetMap: the last offset of each key of a part of a log, in bounded memory. Internal to storage.
//
// A plain value of one compaction. Keys are known by 128 bits of their hash, as in Kafka (SkimpyOffsetMap): two keys
// with one hash would lose a record, which nobody will see happen by chance; a client that makes such keys on purpose
// harms its own topic. Why not a map of the keys: its memory would depend on what clients write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cohort::storage {

class OffsetMap {
 public:
  // Takes at most max_bytes, and no more than most_keys need.
  OffsetMap(std::size_t max_bytes, std::uint64_t most_keys);

  // Offsets of a key only go up. False: full, nothing was changed.
  bool put(std::span<const std::byte> key, std::int64_t offset);
  std::int64_t get(std::span<const std::byte> key) const;  // -1: not there
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::int64_t offset = -1;  // -1: free
  };
  std::size_t find(std::uint64_t low, std::uint64_t high) const;  // its slot or the free one where it belongs

  std::vector<Slot> slots_;
  std::size_t limit_;
  std::size_t size_ = 0;
};

}  // namespace cohort::storage
