// What the offset and admin APIs ask of a classic group.
#include "protocol/base/check.h"
#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {

using enum ClassicGroupState;
using protocol::ErrorCode;

ErrorCode validate_offset_commit(Round& round, std::string_view member, std::optional<std::string_view> instance_id,
                                 std::int32_t generation) {
  const bool names_nobody = generation < 0 && member.empty() && !instance_id;
  if (round.is(kEmpty) && generation < 0) return ErrorCode::kNone;
  if (names_nobody) return ErrorCode::kUnknownMemberId;
  if (const ErrorCode error = validate_member(round, member, instance_id); error != ErrorCode::kNone) return error;
  if (generation != round.generation().value()) return ErrorCode::kIllegalGeneration;
  // It knows the generation from the answer to its join, but what it had in the last one may be another's by now.
  return round.is(kCompletingRebalance) ? ErrorCode::kRebalanceInProgress : ErrorCode::kNone;
}

ErrorCode validate_offset_delete(const Round& round) {
  return round.is(kEmpty) || round.uses_consumer_protocol() ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

ErrorCode validate_delete(const Round& round) {
  return round.is(kEmpty) ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

void delete_classic_group(const Step& step, std::string_view group) {
  const auto at = find_round(step, group);
  COHORT_CHECK(at && at->round.members().empty(), "a classic group with members is deleted");
  cancel_timers(*at);
  step.output.records.push_back(protocol::GroupMetadataRecord{.key = {.group = group}, .value = {}});
}

// Metadata and protocol are shown while the group is stable only (Kafka: ClassicGroupMember.describeNoMetadata).
protocol::DescribeGroupsResponse::DescribedGroup describe(std::string_view group, const Round& round) {
  protocol::DescribeGroupsResponse::DescribedGroup described;
  described.group_id = group;
  described.group_state = to_string(round.state());
  described.protocol_type = round.protocol_type();
  const bool is_stable = round.is(kStable);
  if (is_stable) described.protocol_data = round.protocol().value_or("");
  described.members.reserve(round.members().size());
  for (const auto& [id, member] : round.members()) {
    auto& shown = described.members.emplace_back();
    shown.member_id = id.value();
    if (member.instance_id) shown.group_instance_id = protocol::Text(member.instance_id->value());
    shown.client_id = member.client_id;
    shown.client_host = member.client_host;
    shown.member_assignment = member.assignment;
    if (is_stable) shown.member_metadata = member.metadata(round.protocol().value_or(""));
  }
  return described;
}

}  // namespace cohort::coordinator
