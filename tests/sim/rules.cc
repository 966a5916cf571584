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
      if (silent <= config.consumer_session_timeout + slack) continue;
      throw Violation(fmt::format("member {} of {} was silent for {} ms", member_id, id, silent.count()));
    }
  }
}

}  // namespace cohort::sim
