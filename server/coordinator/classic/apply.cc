// The hard state of classic groups, made by their records alone; and the way back to it when a step was refused.
#include <fmt/format.h>

#include <iterator>
#include <set>
#include <utility>

#include "server/coordinator/classic/internal.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

Result<void> check(const protocol::GroupMetadataRecord& record) {
  const auto corrupt = [&](std::string_view what) {
    return fail(ErrorKind::kCorrupt, fmt::format("a record of classic group '{}' {}", record.key.group, what));
  };
  if (!record.value->members.empty() && !record.value->protocol) return corrupt("has members and no protocol");
  std::set<std::string_view> ids;
  std::set<std::string_view> instances;
  for (const auto& member : record.value->members) {
    if (!ids.insert(member.member_id).second) return corrupt("has a member twice");
    const auto& instance = member.group_instance_id;
    if (instance && !instances.insert(*instance).second) return corrupt("has a static member twice");
  }
  return {};
}

// As the shard refuses the step's own request.
void refuse(const RoundStep& at, std::optional<ReplyToken> token, ErrorCode error) {
  if (!token) return;
  at.step.output.replies.push_back(
      {*token, Refused{.error = error, .message = "The group could not be written."}, at.after});
}

// Everybody who waits in the round is refused; the round is of no use any more.
void give_up_round(const RoundStep& at, ErrorCode error) {
  at.round.for_each([&](RoundMember& member) {
    refuse(at, at.round.take_join(member), error);
    refuse(at, std::exchange(member.sync, std::nullopt), error);
  });
  cancel_timers(at);
}

}  // namespace

Result<void> apply(GroupState& state, const protocol::GroupMetadataRecord& record, std::int64_t offset) {
  const std::string_view id = record.key.group;
  if (!record.value) {
    if (const auto it = state.classic_groups.find(id); it != state.classic_groups.end()) {
      state.classic_groups.erase(it);
      state.last_deletion = offset;
    }
    // A round goes when its group does, not when that is decided: the decision may still be refused.
    if (const auto it = state.soft.rounds.find(id); it != state.soft.rounds.end()) state.soft.rounds.erase(it);
    return {};
  }
  if (state.consumer_groups.contains(id) || state.foreign_groups.contains(id)) {
    return fail(ErrorKind::kCorrupt, fmt::format("the id '{}' belongs to groups of two types", id));
  }
  if (auto checked = check(record); !checked) return checked;
  ClassicGroup& group = state.classic_groups[id];
  group.stored = *record.value;  // a copy owns its bytes
  group.last_record = offset;
  return {};
}

void on_classic_refused(const Step& step, const protocol::GroupMetadataRecord& record, ErrorCode error) {
  const std::string_view id = record.key.group;
  auto& rounds = step.state.soft.rounds;
  const auto group = step.state.classic_groups.find(id);
  const bool exists = group != step.state.classic_groups.end();
  const std::int64_t after = exists ? group->second.last_record : step.state.last_deletion;
  if (const auto round = rounds.find(id); round != rounds.end()) {
    give_up_round({step, id, round->second, after}, error);
    rounds.erase(round);
  }
  if (exists) restore_round(step, id, group->second);
}

void restore_round(const Step& step, std::string_view id, const ClassicGroup& group) {
  Round& round = step.state.soft.rounds[id] = Round(group.stored);
  const RoundStep at{step, id, round, group.last_record};
  round.for_each([&](RoundMember& member) { restart_session(at, member); });
  // Its members have never been led: see leaderless_group_record().
  if (!group.stored.members.empty() && !group.stored.leader) prepare_rebalance(at, "its conversion had just begun");
}

void dump_classic_groups(const GroupState& state, std::string& out) {
  for (const auto& [id, group] : state.classic_groups) {
    fmt::format_to(std::back_inserter(out), "classic group '{}' last record {} ", id, group.last_record);
    append_json(out, group.stored, protocol::GroupMetadataValue::kLatestStable);
    out += '\n';
  }
}

}  // namespace cohort::coordinator
