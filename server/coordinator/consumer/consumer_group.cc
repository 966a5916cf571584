#include "server/coordinator/consumer/consumer_group.h"

#include <algorithm>
#include <tuple>

#include "protocol/base/check.h"

namespace cohort::coordinator {

PartitionsByTopic partitions_of(const OwnedPartitions& owned) {
  PartitionsByTopic partitions;
  for (const auto& [topic, of_topic] : owned) {
    for (const OwnedPartition& one : of_topic) partitions[topic].push_back(one.partition);
  }
  return partitions;
}

PartitionsByTopic responsible_for(const ConsumerMember& member) {
  PartitionsByTopic all;
  for (const OwnedPartitions* owned : {&member.assigned, &member.pending_revocation}) {
    for (const auto& [topic, partitions] : *owned) {
      for (const OwnedPartition& partition : partitions) all[topic].push_back(partition.partition);
    }
  }
  for (auto& [topic, partitions] : all) std::ranges::sort(partitions);
  return all;
}

std::vector<protocol::TopicName> sorted_names(const std::vector<protocol::Text>& texts) {
  std::vector<protocol::TopicName> names;
  names.reserve(texts.size());
  for (const protocol::Text& text : texts) names.emplace_back(text.str());
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

bool operator==(const ConsumerMember& a, const ConsumerMember& b) {
  const auto fields = [](const ConsumerMember& m) {
    return std::tie(m.id, m.instance_id, m.rack_id, m.client_id, m.client_host, m.rebalance_timeout_ms,
                    m.subscribed_topics, m.subscribed_regex, m.server_assignor, m.epoch, m.previous_epoch, m.state,
                    m.assigned, m.pending_revocation, m.classic);
  };
  return fields(a) == fields(b);
}

std::string_view to_string(ConsumerGroupState state) {
  switch (state) {
    case ConsumerGroupState::kEmpty:
      return "Empty";
    case ConsumerGroupState::kAssigning:
      return "Assigning";
    case ConsumerGroupState::kReconciling:
      return "Reconciling";
    case ConsumerGroupState::kStable:
      return "Stable";
    case ConsumerGroupState::kDead:
      return "Dead";
  }
  CHECK(false, "an enumerator of ConsumerGroupState");
}

ConsumerGroupState ConsumerGroup::state() const {
  if (members.empty()) return ConsumerGroupState::kEmpty;
  if (epoch > assignment_epoch) return ConsumerGroupState::kAssigning;
  const bool stable = std::ranges::all_of(
      members, [this](const auto& entry) { return entry.second.is_reconciled_to(assignment_epoch); });
  return stable ? ConsumerGroupState::kStable : ConsumerGroupState::kReconciling;
}

const ConsumerMember* ConsumerGroup::find_member(std::string_view id) const {
  const auto it = members.find(id);
  return it != members.end() ? &it->second : nullptr;
}

const ConsumerMember* ConsumerGroup::find_static_member(std::string_view instance_id) const {
  const auto it = static_members.find(instance_id);
  return it != static_members.end() ? find_member(it->second.value()) : nullptr;
}

const PartitionsByTopic& ConsumerGroup::target_of(std::string_view member) const {
  static const PartitionsByTopic kNone;
  const auto it = target.find(member);
  return it != target.end() ? it->second : kNone;
}

}  // namespace cohort::coordinator
