#include "server/coordinator/consumer/counts.h"

namespace cohort::coordinator {
namespace {

void add(SubscriptionCounts& counts, const protocol::TopicName& topic, std::int32_t SubscriptionCount::* part,
         std::int32_t delta) {
  const auto it = counts.try_emplace(topic).first;
  it->second.*part += delta;
  if (it->second.by_name <= 0 && it->second.by_regex <= 0) counts.erase(it);
}

}  // namespace

void add_count(Counts& counts, std::string_view key, std::int32_t delta) {
  auto it = counts.find(key);
  if (it == counts.end()) it = counts.emplace(key, 0).first;
  it->second += delta;
  if (it->second <= 0) counts.erase(it);
}

void add_by_name(SubscriptionCounts& counts, const protocol::TopicName& topic, std::int32_t delta) {
  add(counts, topic, &SubscriptionCount::by_name, delta);
}

void add_by_regex(SubscriptionCounts& counts, const protocol::TopicName& topic, std::int32_t delta) {
  add(counts, topic, &SubscriptionCount::by_regex, delta);
}

}  // namespace cohort::coordinator
