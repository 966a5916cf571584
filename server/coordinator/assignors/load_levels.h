// Picks the least and the most loaded of a topic's subscribers, again and again, while partitions move between them.
// Internal to assignors/; follows the balancer inside Kafka's UniformHeterogeneousAssignmentBuilder.
//
// The subscribers stand sorted by load. Giving always fills the low end like water: all members of the low range have
// the same load, and when each got one more, the range takes in the neighbours that now have the same. Taking drains
// the high end likewise. So each pick is O(1) after one sort. Why not a heap: two heaps over changing loads would cost
// a log per move and give another order of ties, so other assignments than Kafka's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cohort::coordinator {

class LoadLevels {
 public:
  // loads: partitions per member over all topics; must outlive this, and the caller changes it as it moves partitions.
  explicit LoadLevels(const std::vector<std::int32_t>& loads) : loads_(loads) {}

  // Starts over with these members (at least one, ascending). Returns the difference between the highest and the lowest
  // load.
  std::int32_t start(std::span<const std::int32_t> members);

  // The member to give the next partition to. Counts it as given.
  std::int32_t next_lowest();
  // The member to take the next partition from, or -1 when nobody has any to give. Counts it as taken.
  std::int32_t next_highest();
  // The member that next_highest returned last has no partition of this topic: never ask it again.
  void exclude_highest();
  // The two ranges have come as close as they can.
  bool balanced() const { return high_level_ - low_level_ <= 1; }

 private:
  void sort(std::span<const std::int32_t> members, std::int32_t lowest, std::int32_t highest);
  std::int32_t load_at(std::size_t position) const { return loads_[static_cast<std::size_t>(sorted_[position])]; }

  const std::vector<std::int32_t>& loads_;
  std::vector<std::int32_t> sorted_;  // members by load when started, then by index
  std::vector<std::size_t> places_;   // of the counting sort
  // Low range: [0, low_end_), all at low_level_ before the present round of giving.
  std::size_t low_end_ = 0;
  std::size_t low_next_ = 0;
  std::int32_t low_level_ = 0;
  // High range: [high_begin_, high_end_), all at high_level_ before the present round of taking. The excluded stand
  // behind it.
  std::size_t high_begin_ = 0;
  std::size_t high_end_ = 0;
  std::size_t high_left_ = 0;  // members of the range still to be asked in this round are [high_begin_, high_left_)
  std::int32_t high_level_ = 0;
};

}  // namespace cohort::coordinator
