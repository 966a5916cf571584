// The one record of a classic group, as Kafka's GroupCoordinatorRecordHelpers makes it.
#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {
namespace {

protocol::GroupMetadataValue::MemberMetadata member_metadata(const RoundMember& member, std::string_view protocol) {
  protocol::GroupMetadataValue::MemberMetadata out;
  out.member_id = member.id.value();
  if (member.instance_id) out.group_instance_id = protocol::Text(member.instance_id->value());
  out.client_id = member.client_id;
  out.client_host = member.client_host;
  out.rebalance_timeout = member.rebalance_timeout_ms;
  out.session_timeout = member.session_timeout_ms;
  out.subscription = member.metadata(protocol);
  out.assignment = member.assignment;
  return out;
}

}  // namespace

protocol::GroupRecord group_record(const RoundStep& at) {
  const Round& round = at.round;
  protocol::GroupMetadataRecord record;
  record.key.group = at.group;
  protocol::GroupMetadataValue& value = record.value.emplace();
  value.protocol_type = round.protocol_type();
  value.generation = round.generation().value();
  value.protocol.reset();
  if (round.protocol()) value.protocol = protocol::Text(*round.protocol());
  value.leader.reset();
  if (round.leader()) value.leader = protocol::Text(round.leader()->value());
  value.current_state_timestamp = round.state_timestamp_ms();
  value.members.reserve(round.members().size());
  for (const auto& [id, member] : round.members()) {
    value.members.push_back(member_metadata(member, round.protocol().value_or("")));
  }
  return record;
}

protocol::GroupRecord leaderless_group_record(const RoundStep& at) {
  protocol::GroupRecord record = group_record(at);
  std::get<protocol::GroupMetadataRecord>(record).value->leader.reset();
  return record;
}

protocol::GroupRecord new_group_record(std::string_view group, std::int64_t wall_ms) {
  protocol::GroupMetadataRecord record;
  record.key.group = group;
  protocol::GroupMetadataValue& value = record.value.emplace();
  value.protocol.reset();
  value.leader.reset();
  value.current_state_timestamp = wall_ms;
  return record;
}

}  // namespace cohort::coordinator
