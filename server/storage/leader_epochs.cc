#include "server/storage/leader_epochs.h"

#include <algorithm>
#include <iterator>

namespace cohort::storage {

void LeaderEpochs::add(std::int32_t epoch, std::int64_t first_offset) {
  if (epoch < 0 || (!entries_.empty() && epoch <= entries_.back().epoch)) return;
  // What begins no earlier has no batch (LeaderEpochFileCache.maybeTruncateNonMonotonicEntries).
  cut_from(first_offset);
  entries_.push_back({epoch, first_offset});
  if (entries_.size() > kMaxEntries) entries_.erase(entries_.begin());
}

void LeaderEpochs::cut_from(std::int64_t end_offset) {
  while (!entries_.empty() && entries_.back().first_offset >= end_offset) entries_.pop_back();
}

// The epoch that the start lies in begins there now (LeaderEpochFileCache.truncateFromStart).
void LeaderEpochs::cut_before(std::int64_t start_offset) {
  const auto above = std::ranges::upper_bound(entries_, start_offset, {}, &EpochStart::first_offset);
  if (above == entries_.begin()) return;
  std::prev(above)->first_offset = start_offset;
  entries_.erase(entries_.begin(), std::prev(above));
}

// Nothing covers the epoch in a batch's header: one above the current cannot be. In Kafka a new leader enters its epoch
// at the end of its log, in the place of one that begins there and has no batch.
std::span<const EpochStart> LeaderEpochs::written_below(std::int32_t current, std::int64_t end_offset) const {
  std::span<const EpochStart> entries = entries_;
  const auto counts = [&](const EpochStart& entry) {
    return entry.epoch == current || (entry.epoch < current && entry.first_offset < end_offset);
  };
  while (!entries.empty() && !counts(entries.back())) entries = entries.first(entries.size() - 1);
  return entries;
}

// LeaderEpochFileCache.endOffsetFor
EpochEnd LeaderEpochs::end_of(std::int32_t epoch, std::int32_t current, std::int64_t end_offset) const {
  if (epoch == current) return {epoch, end_offset};
  if (epoch == kNoEpoch || epoch > current) return {};
  const auto entries = written_below(current, end_offset);
  const auto higher = std::ranges::upper_bound(entries, epoch, {}, &EpochStart::epoch);
  const std::int64_t next_start = higher == entries.end() ? end_offset : higher->first_offset;
  // Older than all that is known: its records are gone, the client is sent to the first one that is not.
  return {higher == entries.begin() ? epoch : std::prev(higher)->epoch, next_start};
}

std::int32_t LeaderEpochs::epoch_at(std::int64_t offset, std::int32_t current, std::int64_t end_offset) const {
  if (offset >= end_offset) return current;
  const auto entries = written_below(current, end_offset);
  const auto above = std::ranges::upper_bound(entries, offset, {}, &EpochStart::first_offset);
  return above == entries.begin() ? kNoEpoch : std::prev(above)->epoch;
}

}  // namespace cohort::storage
