// Counts by name that vanish when they reach zero: who subscribes to what, which assignor is asked for. The same code
// counts in the state (apply) and in what-if copies of it (decisions), so the two cannot drift apart.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "server/coordinator/consumer/consumer_group.h"

namespace cohort::coordinator {

using Counts = std::map<std::string, std::int32_t, std::less<>>;

void add_count(Counts& counts, std::string_view key, std::int32_t delta);
void add_by_name(SubscriptionCounts& counts, const protocol::TopicName& topic, std::int32_t delta);
void add_by_regex(SubscriptionCounts& counts, const protocol::TopicName& topic, std::int32_t delta);

inline std::int32_t count_of(const Counts& counts, std::string_view key) {
  const auto it = counts.find(key);
  return it != counts.end() ? it->second : 0;
}

}  // namespace cohort::coordinator
