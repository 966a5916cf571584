// Who owns each partition, while an assignor works: one flat array of member indexes over all topics. Internal to
// assignors/. Why not maps of sets as the result has them: 50,000 partitions move around here, and an index is 4 bytes
// without a node.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/coordinator/assignors/assignor.h"

namespace cohort::coordinator {

class Ownership {
 public:
  static constexpr std::int32_t kNobody = -1;

  // All partitions are nobody's. The spec must outlive this.
  explicit Ownership(const GroupSpec& spec);

  struct Topic {
    const protocol::TopicId* id;
    std::size_t first;  // of its partitions in the flat array
    std::int32_t partitions;
  };
  // Sorted by id; the index in here is the topic's number.
  std::span<const Topic> topics() const { return topics_; }
  // The topic's number, or -1.
  std::int32_t find_topic(const protocol::TopicId& id) const;
  // The numbers of a member's topics, ascending. All of them must be in the spec.
  void topic_numbers(const std::vector<protocol::TopicId>& subscribed, std::vector<std::uint32_t>& numbers) const;
  // Owner of each partition of a topic, as an index into the spec's members.
  std::span<std::int32_t> owners(const Topic& topic) {
    return {owners_.data() + topic.first, static_cast<std::size_t>(topic.partitions)};
  }
  std::span<std::int32_t> owners() { return owners_; }

  // Takes over what the members have in the spec as far as the topic is still subscribed by that member and the
  // partition exists. Of two members that both claim a partition, which only damaged state has, the first one keeps it.
  // sizes: receives the number of partitions that each member kept.
  void keep_targets(std::vector<std::int32_t>& sizes);

  // The owners as assignments, with an entry for each member.
  GroupAssignment to_assignment() const;

 private:
  const GroupSpec& spec_;
  std::vector<Topic> topics_;
  std::vector<std::int32_t> owners_;
};

}  // namespace cohort::coordinator
