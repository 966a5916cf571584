#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {

FoundGroup find_group(const GroupState& state, std::string_view id) {
  FoundGroup group;
  group.consumer = state.find_consumer_group(id);
  if (group.consumer == nullptr) {
    if (const auto it = state.foreign_groups.find(id); it != state.foreign_groups.end()) group.foreign = &it->second;
  }
  group.offsets = state.offsets.find(id);
  return group;
}

std::int64_t rests_on(const GroupState& state, const FoundGroup& group) {
  const std::int64_t offsets = group.offsets != nullptr ? group.offsets->last_record : state.offsets.last_deletion;
  if (group.consumer != nullptr) return std::max(offsets, group.consumer->last_record);
  if (group.foreign != nullptr) return std::max(offsets, group.foreign->last_record);
  return std::max(offsets, state.last_deletion);
}

}  // namespace cohort::coordinator
