#include "server/topics/producer_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace cohort::topics {

using protocol::ErrorCode;

void ProducerEntry::add(const ProducerBatch& batch) {
  if (count_ == kBatches) {
    std::shift_left(batches_.begin(), batches_.end(), 1);
    --count_;
  }
  batches_[count_++] = batch;
}

bool operator==(const ProducerEntry& a, const ProducerEntry& b) {
  return a.epoch == b.epoch && a.last_append_ms == b.last_append_ms && std::ranges::equal(a.batches(), b.batches());
}

ProducerTable::Verdict ProducerTable::check(const protocol::BatchHeader& batch, std::int64_t now_ms) const {
  const auto found = entries_.find(batch.producer_id());
  // Nothing is known of it, perhaps because retention took its records: any epoch and sequence may begin.
  if (found == entries_.end() || is_expired(found->second, now_ms)) return {};
  const ProducerEntry& entry = found->second;
  const std::int32_t first = batch.base_sequence();

  // 1. A repeat of one of the last five batches, of exactly the same range.
  if (batch.producer_epoch() == entry.epoch) {
    for (const ProducerBatch& known : entry.batches()) {
      if (known.first_sequence == first && known.last_sequence == batch.last_sequence()) return {.duplicate = known};
    }
  }
  // 2. The epoch never falls.
  if (batch.producer_epoch() < entry.epoch) {
    return {.error = ErrorCode::kInvalidProducerEpoch,
            .message = fmt::format("producer {} has epoch {}, the last seen epoch is {}", batch.producer_id(),
                                   batch.producer_epoch(), entry.epoch)};
  }
  // 3. A new epoch begins at sequence 0, the same epoch goes on where it stopped.
  if (batch.producer_epoch() > entry.epoch) {
    if (first == 0) return {};
    return {.error = ErrorCode::kOutOfOrderSequenceNumber,
            .message = fmt::format("producer {} begins epoch {} with sequence {} instead of 0", batch.producer_id(),
                                   batch.producer_epoch(), first)};
  }
  const std::int32_t last = entry.batches().empty() ? protocol::kNoSequence : entry.batches().back().last_sequence;
  const bool in_sequence = last == std::numeric_limits<std::int32_t>::max() ? first == 0 : first == last + 1;
  if (in_sequence) return {};
  return {.error = ErrorCode::kOutOfOrderSequenceNumber,
          .message = fmt::format("producer {} sends sequence {} after {}", batch.producer_id(), first, last)};
}

void ProducerTable::record(const protocol::BatchHeader& batch, std::int64_t now_ms) {
  if (!batch.has_producer_id() || batch.is_control()) return;
  const auto [found, inserted] = entries_.try_emplace(batch.producer_id());
  ProducerEntry& entry = found->second;
  if (entry.epoch != batch.producer_epoch()) {
    entry.clear_batches();
    entry.epoch = batch.producer_epoch();
  }
  entry.add({.first_sequence = batch.base_sequence(),
             .last_sequence = batch.last_sequence(),
             .first_offset = batch.base_offset(),
             .last_offset = batch.last_offset(),
             .max_timestamp_ms = batch.max_timestamp()});
  entry.last_append_ms = now_ms;
  if (inserted && entries_.size() > max_producers_) make_room();
}

void ProducerTable::restore(std::int64_t producer_id, const ProducerEntry& entry) {
  entries_.insert_or_assign(producer_id, entry);
  if (entries_.size() > max_producers_) make_room();
}

void ProducerTable::forget_expired(std::int64_t now_ms) {
  std::erase_if(entries_, [&](const auto& item) { return is_expired(item.second, now_ms); });
}

// Forgets the hundredth part of the producers that was idle longest: one pass for many newcomers.
void ProducerTable::make_room() {
  std::vector<std::int64_t> times;
  times.reserve(entries_.size());
  for (const auto& [id, entry] : entries_) times.push_back(entry.last_append_ms);
  const std::size_t surplus = entries_.size() - max_producers_ + max_producers_ / 100;
  const auto last_to_go = times.begin() + static_cast<std::ptrdiff_t>(surplus - 1);
  std::ranges::nth_element(times, last_to_go);
  // Many may share that time: never more than needed.
  std::size_t left = surplus;
  const std::int64_t limit = *last_to_go;
  const auto drop = [&](bool ties) {
    std::erase_if(entries_, [&](const auto& item) {
      const bool goes = ties ? item.second.last_append_ms == limit : item.second.last_append_ms < limit;
      return goes && left > 0 && left-- > 0;
    });
  };
  drop(false);
  drop(true);
}

}  // namespace cohort::topics
