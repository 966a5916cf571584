// Which partition of an internal topic coordinates an id (Kafka: GroupCoordinatorService.partitionFor).
#pragma once

#include <cstdint>
#include <string_view>

namespace cohort::runtime {

// Java's String.hashCode: over UTF-16 units. Bytes that are not UTF-8 count as U+FFFD, as where Java decodes them.
std::int32_t java_hash(std::string_view utf8);

// Utils.abs(hash) % partitions: the absolute value, 0 for the smallest integer. partitions > 0.
std::int32_t partition_for(std::string_view id, std::int32_t partitions);

}  // namespace cohort::runtime
