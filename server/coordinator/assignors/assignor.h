// Assignors decide which member of a consumer group gets which partitions. An assignor is a pure function of its spec:
// it has no state, so one object serves all groups and all threads (large groups are assigned on a worker thread, as a
// Job).
//
// Why the spec is plain data and not a view of the group: a job owns its input, and an assignor must not depend on how
// a family keeps its members.
//
// Behaviour follows Kafka's org.apache.kafka.coordinator.group.assignor; where Kafka iterates over hash maps, members
// go by id and topics by topic id here, so equal specs give equal assignments.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "protocol/types/ids.h"
#include "server/coordinator/core/assignment.h"

namespace cohort::coordinator {

// The existing topics that a member is subscribed to: sorted, without doubles. Shared, because members of a group
// mostly have equal subscriptions. Never null.
using SubscribedTopics = std::shared_ptr<const std::vector<protocol::TopicId>>;

struct MemberSpec {
  protocol::MemberId id;
  std::optional<protocol::InstanceId> instance_id;
  SubscribedTopics topics;
  // The member's present target. A static member that replaces another brings the target of its predecessor. Partitions
  // of topics that are gone or no longer subscribed may be among them.
  PartitionsByTopic target;
};

enum class SubscriptionType : std::uint8_t {
  kHomogeneous,  // all members have the same topics
  kHeterogeneous,
};

struct GroupSpec {
  std::vector<MemberSpec> members;  // sorted by id, without doubles
  std::map<protocol::TopicId, std::int32_t>
      partitions;  // partition count (> 0) of every topic that any member subscribes to
  SubscriptionType type = SubscriptionType::kHomogeneous;
};

class PartitionAssignor {
 public:
  virtual ~PartitionAssignor() = default;
  // As clients name it in ServerAssignor.
  virtual std::string_view name() const = 0;
  // The result has an entry for each member, also an empty one, and gives each partition of each subscribed topic to
  // exactly one of its subscribers.
  virtual GroupAssignment assign(const GroupSpec& spec) const = 0;
};

// "uniform" or "range"; null for any other name. The objects live as long as the process.
const PartitionAssignor* find_assignor(std::string_view name);

}  // namespace cohort::coordinator
