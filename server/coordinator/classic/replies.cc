// Answers to members, and what they are asked before they get one.
#include <utility>

#include "server/coordinator/classic/internal.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {

using protocol::ErrorCode;

std::optional<RoundStep> find_round(const Step& step, std::string_view group) {
  const auto found = step.state.classic_groups.find(group);
  if (found == step.state.classic_groups.end()) return std::nullopt;
  return RoundStep{step, group, round_of(step.state, group), found->second.last_record};
}

ErrorCode validate_member(Round& round, std::string_view member, std::optional<std::string_view> instance_id) {
  if (instance_id) {
    const RoundMember* holder = round.find_static(*instance_id);
    if (holder == nullptr) return ErrorCode::kUnknownMemberId;
    if (holder->id != member) return ErrorCode::kFencedInstanceId;
  }
  return round.find(member) != nullptr ? ErrorCode::kNone : ErrorCode::kUnknownMemberId;
}

void reply_join_error(const Step& step, ReplyToken token, std::string_view member, ErrorCode error,
                      std::int64_t after) {
  protocol::JoinGroupResponse response;
  response.error_code = to_wire(error);
  response.member_id = member;
  step.output.replies.push_back({token, std::move(response), after});
}

void reply_joined(const RoundStep& at, ReplyToken token, const RoundMember& member) {
  const Round& round = at.round;
  protocol::JoinGroupResponse response;
  response.generation_id = round.generation().value();
  response.protocol_type = protocol::Text(round.protocol_type());
  if (round.protocol()) response.protocol_name = protocol::Text(*round.protocol());
  if (round.leader()) response.leader = round.leader()->value();
  response.member_id = member.id.value();
  if (round.is_leader(member.id.value())) {
    response.members.reserve(round.members().size());
    for (const auto& [id, each] : round.members()) {
      auto& listed = response.members.emplace_back();
      listed.member_id = id.value();
      if (each.instance_id) listed.group_instance_id = protocol::Text(each.instance_id->value());
      listed.metadata = each.metadata(*round.protocol());
    }
  }
  at.step.output.replies.push_back({token, std::move(response), at.after});
}

void reply_sync(const RoundStep& at, ReplyToken token, const RoundMember& member) {
  protocol::SyncGroupResponse response;
  response.protocol_type = protocol::Text(at.round.protocol_type());
  if (at.round.protocol()) response.protocol_name = protocol::Text(*at.round.protocol());
  response.assignment = member.assignment;
  at.step.output.replies.push_back({token, std::move(response), at.after});
}

void reply_sync_error(const Step& step, ReplyToken token, ErrorCode error, std::int64_t after) {
  protocol::SyncGroupResponse response;
  response.error_code = to_wire(error);
  step.output.replies.push_back({token, std::move(response), after});
}

void fail_join(const RoundStep& at, RoundMember& member, std::string_view named, ErrorCode error) {
  if (const auto token = at.round.take_join(member)) reply_join_error(at.step, *token, named, error, at.after);
}

void fail_sync(const RoundStep& at, RoundMember& member, ErrorCode error) {
  if (const auto token = std::exchange(member.sync, std::nullopt)) reply_sync_error(at.step, *token, error, at.after);
}

}  // namespace cohort::coordinator
