// The uniform assignor: balance first, then as few moves as possible. Kafka's default. Kafka: assignor.UniformAssignor
// with its two builders; which one works is decided by the spec's subscription type.
#pragma once

#include "server/coordinator/assignors/assignor.h"

namespace cohort::coordinator {

class UniformAssignor final : public PartitionAssignor {
 public:
  std::string_view name() const override { return "uniform"; }
  GroupAssignment assign(const GroupSpec& spec) const override;
};

// All members have the same topics: sizes differ by one at most, and only partitions above a member's quota move.
GroupAssignment assign_homogeneous(const GroupSpec& spec);
// Subscriptions differ: partitions go to the least loaded subscribers, then topics are balanced one after the other
// until nothing moves or a bound of rounds is reached. Members with equal subscriptions differ by one at most.
GroupAssignment assign_heterogeneous(const GroupSpec& spec);

}  // namespace cohort::coordinator
