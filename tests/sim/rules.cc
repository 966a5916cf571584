#include "tests/sim/rules.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "tests/sim/world.h"

namespace cohort::sim {
namespace {

void check_group(const protocol::GroupId& id, const coordinator::ConsumerGroup& group) {
  if (group.assignment_epoch > group.epoch) throw Violation(fmt::format("the target of {} is ahead of it", id));
  std::set<std::pair<protocol::TopicId, std::int32_t>> owned;
  std::set<std::string> instances;
  for (const auto& [member_id, member] : group.members) {
    if (member.epoch.value() > group.assignment_epoch.value()) {
      throw Violation(fmt::format("member {} of {} is ahead of the target", member_id, id));
    }
    if (member.instance_id && !instances.insert(member.instance_id->value()).second) {
      throw Violation(fmt::format("instance id {} of {} has two members", *member.instance_id, id));
    }
    for (const auto* partitions : {&member.assigned, &member.pending_revocation}) {
      for (const auto& [topic, of_topic] : *partitions) {
        for (const auto& partition : of_topic) {
          if (owned.emplace(topic, partition.partition).second) continue;
          throw Violation(fmt::format("partition {} of {} has two owners", partition.partition, id));
        }
      }
    }
  }
}

}  // namespace

void check_groups(const coordinator::GroupState& state) {
  for (const auto& [id, group] : state.consumer_groups) check_group(id, group);
}

void check_rounds(const coordinator::GroupState& state) {
  using enum coordinator::ClassicGroupState;
  if (state.soft.rounds.size() != state.classic_groups.size()) throw Violation("a classic group without a round");
  for (const auto& [id, round] : state.soft.rounds) {
    const auto group = state.classic_groups.find(id.value());
    if (group == state.classic_groups.end()) throw Violation(fmt::format("the round of {} has no group", id));
    const auto& stored = group->second.stored;
    if (round.generation().value() < stored.generation) {
      throw Violation(fmt::format("{} is in generation {}, behind its record", id, round.generation()));
    }
    if (round.is(kStable) && round.generation().value() != stored.generation) {
      throw Violation(fmt::format("generation {} of {} is stable and not written", round.generation(), id));
    }
    if (round.is(kEmpty) != round.members().empty() && !round.is(kPreparingRebalance)) {
      throw Violation(fmt::format("{} is {} with {} members", id, to_string(round.state()), round.members().size()));
    }
    for (const auto& [member_id, member] : round.members()) {
      if (member.has_joined() && !round.is(kPreparingRebalance)) throw Violation(fmt::format("{} joins", member_id));
      if (member.sync && !round.is(kCompletingRebalance)) throw Violation(fmt::format("{} syncs", member_id));
    }
  }
}

void check_round_deadlines(const coordinator::GroupState& state, MonoTime now, Duration slack) {
  for (const auto& [id, round] : state.soft.rounds) {
    for (const auto& [member_id, member] : round.members()) {
      const bool waits = !member.is_new && (member.has_joined() || member.sync);
      if (!waits && member.session.deadline + slack < now) {
        throw Violation(fmt::format("the session of {} in {} is over", member_id, id));
      }
    }
    for (const auto& [member_id, session] : round.pending()) {
      if (session.deadline + slack < now) throw Violation(fmt::format("{} waits for {}", id, member_id));
    }
    const bool joins = round.is(coordinator::ClassicGroupState::kPreparingRebalance);
    if (joins && (!round.join_deadline || *round.join_deadline + slack < now)) {
      throw Violation(fmt::format("{} prepares its rebalance for ever", id));
    }
    if (!round.have_all_synced() && (!round.sync_deadline || *round.sync_deadline + slack < now)) {
      throw Violation(fmt::format("{} waits for syncs for ever", id));
    }
  }
}

void check_loaded_rounds(const coordinator::GroupState& state) {
  for (const auto& [id, group] : state.classic_groups) {
    const auto round = state.soft.rounds.find(id.value());
    for (const auto& member : group.stored.members) {
      const auto* loaded = round->second.find(member.member_id);
      const auto instance = member.group_instance_id;
      if (loaded == nullptr || loaded->instance_id.has_value() != instance.has_value() ||
          loaded->assignment != member.assignment) {
        throw Violation(fmt::format("member {} of {} was lost in the load", member.member_id.view(), id));
      }
    }
  }
}

void check_no_leftovers(const coordinator::GroupState& state, const coordinator::MetadataView& view) {
  for (const auto& [id, offsets] : state.offsets.groups) {
    for (const auto& [topic, committed] : offsets.topics) {
      committed.for_each([&](const coordinator::CommittedOffset& offset) {
        if (view.find(offset.topic_id) != nullptr) return;
        throw Violation(fmt::format("{} keeps offset {} of {}-{}, whose topic is gone", id, offset.offset, topic,
                                    offset.partition));
      });
    }
  }
}

void check_sessions(const coordinator::GroupState& state, const config::GroupConfig& config, MonoTime now,
                    Duration slack, const LastHeard& heard) {
  for (const auto& [id, group] : state.consumer_groups) {
    for (const auto& [member_id, member] : group.members) {
      const Duration silent = now - heard(member_id.value());
      // The session of a classic member begins anew with the answer to a sync, and with the upgrade of its group.
      const Duration timeout =
          member.classic ? Duration{3 * member.classic->session_timeout_ms} : config.consumer_session_timeout;
      if (silent <= timeout + slack) continue;
      throw Violation(fmt::format("member {} of {} was silent for {} ms", member_id, id, silent.count()));
    }
  }
}

}  // namespace cohort::sim
