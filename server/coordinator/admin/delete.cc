#include <algorithm>
#include <set>
#include <string_view>

#include "server/coordinator/admin/admin.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

ErrorCode validate(const FoundGroup& group) {
  if (!group.exists()) return ErrorCode::kGroupIdNotFound;
  if (group.consumer != nullptr) return validate_delete(*group.consumer);
  if (group.classic != nullptr) return validate_delete(*group.round);
  // Whether others are in use is not known here.
  return group.foreign == nullptr ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

}  // namespace

void handle_delete_groups(const Step& step, ReplyToken token, const DeleteGroups& request) {
  DeletedGroups results;
  std::int64_t after = kNoRecord;
  std::set<std::string_view> seen;
  for (const protocol::GroupId& id : request.groups) {
    if (!seen.insert(id.value()).second) continue;
    const FoundGroup group = find_group(step.state, id.value());
    const ErrorCode error = validate(group);
    results.push_back({.group_id = id.value(), .error_code = to_wire(error)});
    after = std::max(after, rests_on(step.state, group));
    if (error != ErrorCode::kNone) continue;

    // In Kafka's order: the offsets, then the group.
    append_offset_tombstones(id.value(), step.state.offsets, step.output);
    if (group.consumer != nullptr) append_group_tombstones(id, *group.consumer, step.output);
    if (group.classic != nullptr) delete_classic_group(step, id.value());
  }
  step.output.replies.push_back({token, std::move(results), after});
}

}  // namespace cohort::coordinator
