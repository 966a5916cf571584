// The range assignor: each topic's partitions are cut into one contiguous range per subscriber. With equal
// subscriptions and equal partition counts every member gets the same partition numbers of all topics (co-partitioning,
// for joins). Kafka: assignor.RangeAssignor. Static members come first, by instance id, so that a rolling restart under
// new member ids moves nothing; the present target is not looked at.
#pragma once

#include "server/coordinator/assignors/assignor.h"

namespace cohort::coordinator {

class RangeAssignor final : public PartitionAssignor {
 public:
  std::string_view name() const override { return "range"; }
  GroupAssignment assign(const GroupSpec& spec) const override;
};

}  // namespace cohort::coordinator
