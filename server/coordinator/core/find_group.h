// Which family has a group. A request names an id, and four tables of GroupState may know it: the consumer and the
// classic family, the families that are not served, and the offsets, which every kind of group may have. Views into the
// state, valid during the step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

struct FoundGroup {
  // At most one of these three.
  const ConsumerGroup* consumer = nullptr;
  const ClassicGroup* classic = nullptr;
  const ForeignGroup* foreign = nullptr;
  Round* round = nullptr;  // of a classic group: what runs in it
  const GroupOffsets* offsets = nullptr;

  bool has_family() const { return consumer != nullptr || classic != nullptr || foreign != nullptr; }
  bool exists() const { return has_family() || offsets != nullptr; }
  // Offsets and nothing else: what Kafka calls a simple group (see offsets_state.h).
  bool is_simple() const { return !has_family() && offsets != nullptr; }
  bool is_foreign(ForeignGroup::Type type) const { return foreign != nullptr && foreign->type == type; }
};

// Of a classic group that exists.
Round& round_of(const GroupState& state, std::string_view id);
FoundGroup find_group(const GroupState& state, std::string_view id);

// The offset of the record that any answer about the group rests on: the last one about it, or, where a table does not
// know the id, the last deletion there.
std::int64_t rests_on(const GroupState& state, const FoundGroup& group);

// Calls visit(id, FoundGroup) for every group in order of ids, beginning with the first one that is not before `from`,
// until it returns false. Returns whether all were visited.
template <typename Visit>
bool visit_groups(const GroupState& state, std::string_view from, Visit&& visit) {
  auto consumer = state.consumer_groups.lower_bound(from);
  auto classic = state.classic_groups.lower_bound(from);
  auto foreign = state.foreign_groups.lower_bound(from);
  auto offsets = state.offsets.groups.lower_bound(from);
  while (true) {
    const protocol::GroupId* first = nullptr;
    const auto consider = [&first](const auto& it, const auto& table) {
      if (it != table.end() && (first == nullptr || it->first < *first)) first = &it->first;
    };
    consider(consumer, state.consumer_groups);
    consider(classic, state.classic_groups);
    consider(foreign, state.foreign_groups);
    consider(offsets, state.offsets.groups);
    if (first == nullptr) return true;

    const protocol::GroupId& id = *first;
    const auto take = [&id](auto& it, const auto& table) {
      return it != table.end() && it->first == id ? &(it++)->second : nullptr;
    };
    FoundGroup group;
    group.consumer = take(consumer, state.consumer_groups);
    group.classic = take(classic, state.classic_groups);
    if (group.classic != nullptr) group.round = &round_of(state, id.value());
    group.foreign = take(foreign, state.foreign_groups);
    group.offsets = take(offsets, state.offsets.groups);
    if (!visit(id, group)) return false;
  }
}

}  // namespace cohort::coordinator
