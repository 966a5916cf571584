#include "server/coordinator/assignors/load_levels.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "protocol/base/check.h"

namespace cohort::coordinator {

std::int32_t LoadLevels::start(std::span<const std::int32_t> members) {
  CHECK(!members.empty(), "a topic without subscribers cannot be balanced");
  std::int32_t lowest = std::numeric_limits<std::int32_t>::max();
  std::int32_t highest = 0;
  for (const std::int32_t member : members) {
    const std::int32_t load = loads_[static_cast<std::size_t>(member)];
    lowest = std::min(lowest, load);
    highest = std::max(highest, load);
  }
  sort(members, lowest, highest);
  low_end_ = low_next_ = 0;
  low_level_ = lowest - 1;
  high_begin_ = high_end_ = high_left_ = sorted_.size();
  high_level_ = highest + 1;
  return highest - lowest;
}

// A counting sort, because the loads of one topic's subscribers lie close together; far apart, an ordinary one.
void LoadLevels::sort(std::span<const std::int32_t> members, std::int32_t lowest, std::int32_t highest) {
  sorted_.assign(members.begin(), members.end());
  const auto levels = static_cast<std::size_t>(highest - lowest) + 1;
  if (levels == 1) return;
  if (levels > 4 * members.size()) {
    std::ranges::sort(sorted_, {}, [this](std::int32_t member) {
      return std::pair(loads_[static_cast<std::size_t>(member)], member);
    });
    return;
  }
  const auto level_of = [&](std::int32_t member) {
    return static_cast<std::size_t>(loads_[static_cast<std::size_t>(member)] - lowest);
  };
  places_.assign(levels + 1, 0);
  for (const std::int32_t member : members) ++places_[level_of(member) + 1];
  std::partial_sum(places_.begin(), places_.end(), places_.begin());
  for (const std::int32_t member : members) sorted_[places_[level_of(member)]++] = member;
}

std::int32_t LoadLevels::next_lowest() {
  if (low_next_ >= low_end_) {
    ++low_level_;
    while (low_end_ < sorted_.size() && load_at(low_end_) == low_level_) ++low_end_;
    low_next_ = 0;
  }
  return sorted_[low_next_++];
}

std::int32_t LoadLevels::next_highest() {
  if (high_left_ <= high_begin_) {
    // With an empty range (all of it excluded) the level jumps down to the next member, else it falls by one.
    if (high_end_ <= high_begin_ && high_begin_ > 0) {
      high_level_ = load_at(high_begin_ - 1);
    } else {
      --high_level_;
    }
    while (high_begin_ > 0 && load_at(high_begin_ - 1) == high_level_) --high_begin_;
    high_left_ = high_end_;
  }
  if (high_left_ == high_begin_) return -1;
  return sorted_[--high_left_];
}

void LoadLevels::exclude_highest() {
  --high_end_;
  std::swap(sorted_[high_left_], sorted_[high_end_]);
}

}  // namespace cohort::coordinator
