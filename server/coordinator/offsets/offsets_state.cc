#include "server/coordinator/offsets/offsets_state.h"

#include <utility>

namespace cohort::coordinator {

const CommittedOffset* TopicOffsets::find(std::int32_t partition) const {
  const auto chunk = chunks_.find(chunk_of(partition));
  if (chunk == chunks_.end()) return nullptr;
  const auto place = std::ranges::lower_bound(chunk->second, partition, {}, &CommittedOffset::partition);
  return place != chunk->second.end() && place->partition == partition ? &*place : nullptr;
}

bool TopicOffsets::put(CommittedOffset offset) {
  Chunk& chunk = chunks_[chunk_of(offset.partition)];
  const auto place = std::ranges::lower_bound(chunk, offset.partition, {}, &CommittedOffset::partition);
  if (place != chunk.end() && place->partition == offset.partition) {
    *place = std::move(offset);
    return false;
  }
  chunk.insert(place, std::move(offset));
  return true;
}

bool TopicOffsets::remove(std::int32_t partition) {
  const auto chunk = chunks_.find(chunk_of(partition));
  if (chunk == chunks_.end()) return false;
  const auto place = std::ranges::lower_bound(chunk->second, partition, {}, &CommittedOffset::partition);
  if (place == chunk->second.end() || place->partition != partition) return false;
  chunk->second.erase(place);
  if (chunk->second.empty()) chunks_.erase(chunk);
  return true;
}

const GroupOffsets* OffsetsState::find(std::string_view group) const {
  const auto found = groups.find(group);
  return found != groups.end() ? &found->second : nullptr;
}

const CommittedOffset* OffsetsState::find(std::string_view group, std::string_view topic,
                                          std::int32_t partition) const {
  const GroupOffsets* offsets = find(group);
  if (offsets == nullptr) return nullptr;
  const auto found = offsets->topics.find(topic);
  return found != offsets->topics.end() ? found->second.find(partition) : nullptr;
}

}  // namespace cohort::coordinator
