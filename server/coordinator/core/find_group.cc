#include "server/coordinator/core/find_group.h"

#include "protocol/base/check.h"

namespace cohort::coordinator {

Round& round_of(const GroupState& state, std::string_view id) {
  const auto round = state.soft.rounds.find(id);
  COHORT_CHECK(round != state.soft.rounds.end(), "a classic group without a round");
  return round->second;
}

FoundGroup find_group(const GroupState& state, std::string_view id) {
  FoundGroup group;
  const auto find = [id](const auto& table) {
    const auto it = table.find(id);
    return it != table.end() ? &it->second : nullptr;
  };
  group.consumer = find(state.consumer_groups);
  if (group.consumer == nullptr) group.classic = find(state.classic_groups);
  if (group.classic != nullptr) group.round = &round_of(state, id);
  if (group.consumer == nullptr && group.classic == nullptr) group.foreign = find(state.foreign_groups);
  group.offsets = state.offsets.find(id);
  return group;
}

std::int64_t rests_on(const GroupState& state, const FoundGroup& group) {
  const std::int64_t offsets = group.offsets != nullptr ? group.offsets->last_record : state.offsets.last_deletion;
  if (group.consumer != nullptr) return std::max(offsets, group.consumer->last_record);
  if (group.classic != nullptr) return std::max(offsets, group.classic->last_record);
  if (group.foreign != nullptr) return std::max(offsets, group.foreign->last_record);
  return std::max(offsets, state.last_deletion);
}

}  // namespace cohort::coordinator
