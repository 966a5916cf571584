#include "server/coordinator/assignors/ownership.h"

#include <algorithm>

#include "protocol/base/check.h"

namespace cohort::coordinator {

Ownership::Ownership(const GroupSpec& spec) : spec_(spec) {
  topics_.reserve(spec.partitions.size());
  std::size_t total = 0;
  for (const auto& [id, partitions] : spec.partitions) {
    topics_.push_back({&id, total, partitions});
    total += static_cast<std::size_t>(partitions);
  }
  owners_.assign(total, kNobody);
}

std::int32_t Ownership::find_topic(const protocol::TopicId& id) const {
  const auto found = std::ranges::lower_bound(topics_, id, {},
                                              [](const Topic& topic) -> const protocol::TopicId& { return *topic.id; });
  if (found == topics_.end() || *found->id != id) return -1;
  return static_cast<std::int32_t>(found - topics_.begin());
}

void Ownership::topic_numbers(const std::vector<protocol::TopicId>& subscribed,
                              std::vector<std::uint32_t>& numbers) const {
  numbers.clear();
  // Both sides are sorted, and members mostly subscribe to most topics: walking beats searching.
  std::size_t number = 0;
  for (const protocol::TopicId& id : subscribed) {
    while (number < topics_.size() && *topics_[number].id < id) ++number;
    CHECK(number < topics_.size() && *topics_[number].id == id, "a subscribed topic has no partition count");
    numbers.push_back(static_cast<std::uint32_t>(number));
  }
}

void Ownership::keep_targets(std::vector<std::int32_t>& sizes) {
  sizes.assign(spec_.members.size(), 0);
  for (std::size_t member = 0; member < spec_.members.size(); ++member) {
    const MemberSpec& spec = spec_.members[member];
    for (const auto& [topic_id, partitions] : spec.target) {
      const std::int32_t topic = find_topic(topic_id);
      if (topic < 0 || !std::ranges::binary_search(*spec.topics, topic_id)) continue;
      const auto topic_owners = owners(topics_[static_cast<std::size_t>(topic)]);
      for (const std::int32_t partition : partitions) {
        if (partition < 0 || static_cast<std::size_t>(partition) >= topic_owners.size()) continue;
        std::int32_t& owner = topic_owners[static_cast<std::size_t>(partition)];
        if (owner != kNobody) continue;
        owner = static_cast<std::int32_t>(member);
        ++sizes[member];
      }
    }
  }
}

GroupAssignment Ownership::to_assignment() const {
  GroupAssignment result;
  // Topics come in order of their ids, so each member's map grows at its end, and partitions in order, too.
  struct Tail {
    PartitionsByTopic* topics;
    std::vector<std::int32_t>* partitions = nullptr;
    const Topic* topic = nullptr;
  };
  std::vector<Tail> tails;
  tails.reserve(spec_.members.size());
  for (const MemberSpec& member : spec_.members) {
    const auto entry = result.members.emplace_hint(result.members.end(), member.id, PartitionsByTopic{});
    tails.push_back({&entry->second});
  }
  for (const Topic& topic : topics_) {
    for (std::int32_t partition = 0; partition < topic.partitions; ++partition) {
      const std::int32_t owner = owners_[topic.first + static_cast<std::size_t>(partition)];
      if (owner == kNobody) continue;
      Tail& tail = tails[static_cast<std::size_t>(owner)];
      if (tail.topic != &topic) {
        tail.topic = &topic;
        tail.partitions =
            &tail.topics->emplace_hint(tail.topics->end(), *topic.id, std::vector<std::int32_t>{})->second;
      }
      tail.partitions->push_back(partition);
    }
  }
  return result;
}

}  // namespace cohort::coordinator
