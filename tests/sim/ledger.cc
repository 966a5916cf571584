#include "tests/sim/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "tests/sim/world.h"

namespace cohort::sim {

std::int64_t Ledger::commit(const Key& key) {
  entries_[key].commits.insert(++last_);
  return last_;
}

std::int64_t Ledger::remove(const Key& key) {
  entries_[key].removals.insert(++last_);
  return last_;
}

template <typename Visit>
void Ledger::for_group(const std::string& group, Visit&& visit) {
  const Key first{group, protocol::TopicId{}, std::numeric_limits<std::int32_t>::min()};
  for (auto it = entries_.lower_bound(first); it != entries_.end() && it->first.group == group; ++it) visit(*it);
}

std::int64_t Ledger::remove_group(const std::string& group) {
  ++last_;
  for_group(group, [this](auto& entry) { entry.second.removals.insert(last_); });
  return last_;
}

void Ledger::done(const Key& key, std::int64_t number) {
  Entry& entry = entries_[key];
  entry.floor = std::max(entry.floor, number);
}

void Ledger::group_removed(const std::string& group, std::int64_t number) {
  // Keys that are younger than the attempt were not touched by it.
  for_group(group, [number](auto& entry) {
    if (entry.second.removals.contains(number)) entry.second.floor = std::max(entry.second.floor, number);
  });
}

void Ledger::refused(const Key& key, std::int64_t number) {
  entries_[key].commits.erase(number);
  entries_[key].removals.erase(number);
}

void Ledger::group_not_removed(const std::string& group, std::int64_t number) {
  for_group(group, [number](auto& entry) { entry.second.removals.erase(number); });
}

Ledger::Mark Ledger::mark(const Key& key) const {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return {.floor = 0, .attempted = last_, .removed = 0};
  return {.floor = it->second.floor, .attempted = last_, .removed = it->second.removed};
}

void Ledger::read(const Key& key, const Mark& mark, std::int64_t offset) {
  Entry& entry = entries_[key];
  if (offset == -1) {
    const auto removal = entry.removals.lower_bound(std::max<std::int64_t>(mark.floor, 1));
    if (removal != entry.removals.end() && *removal <= mark.attempted) {
      // A reply rests on durable records: one of these removals is there for good.
      entry.floor = std::max(entry.floor, *removal);
      return;
    }
    // Removed by the server itself; tombstone() has checked that it might.
    if (mark.floor == 0 || entry.removed >= mark.floor) return;
  } else if (entry.commits.contains(offset) && offset >= mark.floor && offset > mark.removed &&
             offset <= mark.attempted) {
    entry.floor = std::max(entry.floor, offset);
    return;
  }
  throw Violation(fmt::format("offsets: {} topic {} partition {}: read {}, known {}, removed up to {}, attempted {}",
                              key.group, key.topic, key.partition, offset, mark.floor, entry.removed, mark.attempted));
}

bool Ledger::was_asked_to_remove(const Key& key, std::int64_t number) const {
  const auto it = entries_.find(key);
  return it != entries_.end() && it->second.removals.upper_bound(number) != it->second.removals.end();
}

void Ledger::tombstone(const Key& key, std::int64_t number) {
  Entry& entry = entries_[key];
  entry.removed = std::max(entry.removed, number);
}

}  // namespace cohort::sim
