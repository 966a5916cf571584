// Bounds of what clients can make a shard keep: groups, groups under ids that are made up anew each time, offsets of a
// group. All are cohort's own (Kafka has none); members of a group have Kafka's group.max.size. What is over a bound is
// POLICY_VIOLATION, and the log says so at most once a minute. What is there already stays and works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/coordinator/core/step.h"

namespace cohort::coordinator {

// Why no group can begin under this id, which has none yet; nothing: it can.
std::optional<std::string> why_no_new_group(const Step& step, std::string_view id);

// Room for offsets of partitions that a group has none of yet. For one request.
class OffsetRoom {
 public:
  // offsets: null when it has none. more: how many the request brings, new ones and others.
  OffsetRoom(const Step& step, std::string_view group, const GroupOffsets* offsets, std::size_t more);

  // False: the partition would be one more than there may be.
  bool take(std::string_view topic, std::int32_t partition);

 private:
  const Step& step_;
  std::string_view group_;
  const GroupOffsets* offsets_;
  std::int64_t left_;
  bool is_tight_;  // else nothing needs to be looked up
};

}  // namespace cohort::coordinator
