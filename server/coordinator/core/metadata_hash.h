// The metadata hash of a group: one number over the topics that it subscribes to (id, name, partitions), stored in
// ConsumerGroupMetadataValue. When it changes, the group needs a new assignment. Pure functions.
//
// The numbers are Kafka's (coordinator.group.Utils.computeTopicHash and computeGroupHash, XXH3 of 64 bits), so that a
// log that moves between Kafka and cohort does not rebalance every group. Racks are part of Kafka's hash; a partition
// without rack adds nothing, and here no partition has one.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "server/coordinator/core/metadata_view.h"

namespace cohort::coordinator {

std::int64_t topic_hash(const TopicView& topic);

// hashes: by topic name, existing topics only. No topic: 0. The names order the hashes and may be views.
std::int64_t group_hash(const std::map<std::string_view, std::int64_t>& hashes);

}  // namespace cohort::coordinator
