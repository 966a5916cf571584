// Which family has a group. A request names an id, and three tables of GroupState may know it: the consumer family, the
// families that are not served, and the offsets, which every kind of group may have. Views into the state, valid during
// the step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

struct FoundGroup {
  const ConsumerGroup* consumer = nullptr;
  const ForeignGroup* foreign = nullptr;  // not set when consumer is
  const GroupOffsets* offsets = nullptr;

  bool exists() const { return consumer != nullptr || foreign != nullptr || offsets != nullptr; }
  // Offsets and nothing else: what Kafka calls a simple group (see offsets_state.h).
  bool is_simple() const { return consumer == nullptr && foreign == nullptr && offsets != nullptr; }
  bool is_foreign(ForeignGroup::Type type) const { return foreign != nullptr && foreign->type == type; }
};

FoundGroup find_group(const GroupState& state, std::string_view id);

// The offset of the record that any answer about the group rests on: the last one about it, or, where a table does not
// know the id, the last deletion there.
std::int64_t rests_on(const GroupState& state, const FoundGroup& group);

// Calls visit(id, FoundGroup) for every group in order of ids, beginning with the first one that is not before `from`,
// until it returns false. Returns whether all were visited.
template <typename Visit>
bool visit_groups(const GroupState& state, std::string_view from, Visit&& visit) {
  auto consumer = state.consumer_groups.lower_bound(from);
  auto foreign = state.foreign_groups.lower_bound(from);
  auto offsets = state.offsets.groups.lower_bound(from);
  const auto is_at = [](const auto& it, const auto& table, const protocol::GroupId& id) {
    return it != table.end() && it->first == id;
  };
  while (true) {
    const protocol::GroupId* first = nullptr;
    const auto consider = [&first](const auto& it, const auto& table) {
      if (it != table.end() && (first == nullptr || it->first < *first)) first = &it->first;
    };
    consider(consumer, state.consumer_groups);
    consider(foreign, state.foreign_groups);
    consider(offsets, state.offsets.groups);
    if (first == nullptr) return true;

    FoundGroup group;
    const protocol::GroupId& id = *first;
    const bool in_foreign = is_at(foreign, state.foreign_groups, id);
    const bool in_offsets = is_at(offsets, state.offsets.groups, id);
    if (is_at(consumer, state.consumer_groups, id)) group.consumer = &(consumer++)->second;
    if (in_foreign && group.consumer == nullptr) group.foreign = &foreign->second;
    if (in_offsets) group.offsets = &offsets->second;
    if (in_foreign) ++foreign;
    if (in_offsets) ++offsets;
    if (!visit(id, group)) return false;
  }
}

}  // namespace cohort::coordinator
