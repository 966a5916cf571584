#include "server/topics/fetch_session.h"

#include <limits>

namespace cohort::topics {

std::int32_t FetchSession::next_epoch(std::int32_t epoch) {
  if (epoch < 0) return kFinalEpoch;
  return epoch == std::numeric_limits<std::int32_t>::max() ? 1 : epoch + 1;
}

FetchSession::Topic* FetchSession::find(const FetchTopic& topic) {
  if (last_topic_ != nullptr && *last_topic_->named == topic) return last_topic_;
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return nullptr;
  last_topic_ = &found->second;
  return last_topic_;
}

FetchSession::Partition& FetchSession::put(const FetchTopic& topic, const FetchWish& wish) {
  Topic* known = find(topic);
  if (known == nullptr) {
    const auto added = topics_.try_emplace(topic).first;
    known = last_topic_ = &added->second;
    known->named = &added->first;
    name_weight_ += weight_of(topic.name);
  }
  const auto [place, is_new] = index_.try_emplace(Key{known, wish.partition});
  if (is_new) {
    ++known->partitions;
    place->second = partitions_.insert(partitions_.end(), Partition{.topic = known, .wish = {}});
  }
  Partition& partition = *place->second;
  partition.wish = wish;
  return partition;
}

void FetchSession::forget(const FetchTopic& topic, std::int32_t partition) {
  Topic* known = find(topic);
  if (known == nullptr) return;
  const auto place = index_.find(Key{known, partition});
  if (place == index_.end()) return;
  partitions_.erase(place->second);
  index_.erase(place);
  if (--known->partitions > 0) return;
  last_topic_ = nullptr;
  name_weight_ -= weight_of(topic.name);
  topics_.erase(topics_.find(topic));
}

bool FetchSession::note(Partition& partition, const FetchedPartition& fetched) {
  const bool failed = fetched.error != protocol::ErrorCode::kNone;
  const bool is_news = fetched.is_urgent() || !fetched.records.empty() ||
                       partition.high_watermark != fetched.high_watermark ||
                       partition.log_start_offset != fetched.log_start_offset;
  // After an error nothing counts as known: when it is over the client hears of it, even if nothing else is new.
  partition.high_watermark = failed ? -1 : fetched.high_watermark;
  partition.log_start_offset = fetched.log_start_offset;
  return is_news;
}

}  // namespace cohort::topics
