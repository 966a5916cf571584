#include "server/coordinator/core/apply.h"

#include <fmt/format.h>

#include <type_traits>
#include <variant>

#include "protocol/base/log.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/apply.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

// Notes that an id belongs to a group of a family that is not served; see ForeignGroup for why no more is kept.
Result<void> note_foreign(GroupState& state, std::string_view id, std::optional<ForeignGroup> group,
                          std::int64_t offset) {
  const auto it = state.foreign_groups.find(id);
  if (!group) {
    if (it == state.foreign_groups.end()) return {};
    state.foreign_groups.erase(it);
    state.last_deletion = offset;
    return {};
  }
  if (state.consumer_groups.contains(id) || state.classic_groups.contains(id)) {
    return fail(ErrorKind::kCorrupt, fmt::format("the id '{}' belongs to groups of two types", id));
  }
  group->last_record = offset;
  if (it != state.foreign_groups.end()) {
    it->second = *group;
  } else {
    log::info("GroupCoordinator", "group '{}' is of a type that is not served; its records are kept", id);
    state.foreign_groups.emplace(std::string(id), *group);
  }
  return {};
}

// One overload per record type: a new type does not compile until it is decided what becomes of it.
struct Applier {
  GroupState& state;
  std::int64_t offset;

  // Consumer groups.
  Result<void> operator()(const protocol::ConsumerGroupMetadataRecord& r) const { return apply(state, r, offset); }
  Result<void> operator()(const protocol::ConsumerGroupPartitionMetadataRecord& r) const {
    return apply(state, r, offset);
  }
  Result<void> operator()(const protocol::ConsumerGroupMemberMetadataRecord& r) const {
    return apply(state, r, offset);
  }
  Result<void> operator()(const protocol::ConsumerGroupTargetAssignmentMetadataRecord& r) const {
    return apply(state, r, offset);
  }
  Result<void> operator()(const protocol::ConsumerGroupTargetAssignmentMemberRecord& r) const {
    return apply(state, r, offset);
  }
  Result<void> operator()(const protocol::ConsumerGroupCurrentMemberAssignmentRecord& r) const {
    return apply(state, r, offset);
  }
  Result<void> operator()(const protocol::ConsumerGroupRegularExpressionRecord& r) const {
    return apply(state, r, offset);
  }

  // Offsets. Nothing in these records can be impossible.
  Result<void> operator()(const protocol::OffsetCommitRecord& r) const {
    apply_offset_commit(state.offsets, r, offset);
    return {};
  }
  Result<void> operator()(const protocol::LegacyOffsetCommitRecord& r) const {
    apply_offset_commit(state.offsets, r, offset);
    return {};
  }

  Result<void> operator()(const protocol::GroupMetadataRecord& r) const { return apply(state, r, offset); }

  // Families that are not served: the record that says whether a group exists, and the rest.
  Result<void> operator()(const protocol::ShareGroupMetadataRecord& r) const {
    std::optional<ForeignGroup> group;
    if (r.value) group = {.type = ForeignGroup::Type::kShare};
    return note_foreign(state, r.key.group_id, group, offset);
  }
  Result<void> operator()(const protocol::StreamsGroupMetadataRecord& r) const {
    std::optional<ForeignGroup> group;
    if (r.value) group = {.type = ForeignGroup::Type::kStreams};
    return note_foreign(state, r.key.group_id, group, offset);
  }
  Result<void> operator()(const protocol::ShareGroupMemberMetadataRecord&) const { return {}; }
  Result<void> operator()(const protocol::ShareGroupTargetAssignmentMetadataRecord&) const { return {}; }
  Result<void> operator()(const protocol::ShareGroupTargetAssignmentMemberRecord&) const { return {}; }
  Result<void> operator()(const protocol::ShareGroupCurrentMemberAssignmentRecord&) const { return {}; }
  Result<void> operator()(const protocol::ShareGroupStatePartitionMetadataRecord&) const { return {}; }
  Result<void> operator()(const protocol::StreamsGroupMemberMetadataRecord&) const { return {}; }
  Result<void> operator()(const protocol::StreamsGroupTopologyRecord&) const { return {}; }
  Result<void> operator()(const protocol::StreamsGroupTargetAssignmentMetadataRecord&) const { return {}; }
  Result<void> operator()(const protocol::StreamsGroupTargetAssignmentMemberRecord&) const { return {}; }
  Result<void> operator()(const protocol::StreamsGroupCurrentMemberAssignmentRecord&) const { return {}; }
};

std::string_view group_of(const protocol::GroupRecord& record) {
  return std::visit(
      [](const auto& r) -> std::string_view {
        if constexpr (requires { r.key.group_id; }) {
          return r.key.group_id;
        } else {
          return r.key.group;
        }
      },
      record);
}

std::size_t table_entries(const GroupState& state) {
  return state.consumer_groups.size() + state.classic_groups.size() + state.foreign_groups.size() +
         state.offsets.groups.size();
}

std::size_t tables_with(const GroupState& state, std::string_view id) {
  const auto has = [id](const auto& table) { return table.contains(id) ? std::size_t{1} : std::size_t{0}; };
  return has(state.consumer_groups) + has(state.classic_groups) + has(state.foreign_groups) + has(state.offsets.groups);
}

}  // namespace

Result<void> apply(GroupState& state, const protocol::GroupRecord& record, std::int64_t offset) {
  state.last_record = offset;
  const std::size_t before = table_entries(state);
  if (auto applied = std::visit(Applier{state, offset}, record); !applied) return applied;
  // A record makes or removes one entry of one table at most.
  const std::size_t after = table_entries(state);
  if (after > before && tables_with(state, group_of(record)) == 1) state.census.came(group_of(record));
  if (after < before && tables_with(state, group_of(record)) == 0) state.census.went(group_of(record));
  return {};
}

}  // namespace cohort::coordinator
