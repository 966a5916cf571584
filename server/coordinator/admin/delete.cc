#include <algorithm>
#include <set>
#include <string_view>

#include "server/coordinator/admin/admin.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

ErrorCode validate(const FoundGroup& group) {
  if (!group.exists()) return ErrorCode::kGroupIdNotFound;
  if (group.consumer != nullptr) return validate_delete(*group.consumer);
  // Only of classic groups it is known that they are empty; others that are not served are left alone.
  if (group.foreign != nullptr && !group.foreign->empty) return ErrorCode::kNonEmptyGroup;
  return ErrorCode::kNone;
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
    if (group.foreign != nullptr) {
      step.output.records.push_back(protocol::GroupMetadataRecord{.key = {.group = id.value()}, .value = {}});
    }
  }
  step.output.replies.push_back({token, std::move(results), after});
}

}  // namespace cohort::coordinator
