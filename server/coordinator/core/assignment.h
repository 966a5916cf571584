// Who has which partitions: plain values shared by assignors, target assignments and jobs.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "protocol/types/ids.h"

namespace cohort::coordinator {

// Sorted partition indexes by topic. Ordered, so that equal assignments make equal records.
using PartitionsByTopic = std::map<protocol::TopicId, std::vector<std::int32_t>>;

struct GroupAssignment {
  std::map<protocol::MemberId, PartitionsByTopic> members;
};

}  // namespace cohort::coordinator
