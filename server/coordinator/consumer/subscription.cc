// What a group subscribes to, and whether those topics have changed.
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/core/metadata_hash.h"

namespace cohort::coordinator {

SubscriptionCounts subscribed_topics_after(const ConsumerGroup& group, const ConsumerMember& old,
                                           const ConsumerMember& member) {
  SubscriptionCounts counts = group.subscribed_topics;
  for (const auto& topic : old.subscribed_topics) add_by_name(counts, topic, -1);
  for (const auto& topic : member.subscribed_topics) add_by_name(counts, topic, 1);
  // The last subscriber of a regular expression takes its topics along.
  const std::string& regex = old.subscribed_regex;
  if (!regex.empty() && regex != member.subscribed_regex && count_of(group.regex_subscribers, regex) == 1) {
    if (const auto it = group.resolved_regexes.find(regex); it != group.resolved_regexes.end()) {
      for (const auto& topic : it->second.topics) add_by_regex(counts, topic, -1);
    }
  }
  return counts;
}

std::int64_t metadata_hash(const SubscriptionCounts& subscribed, const MetadataView& metadata) {
  std::map<std::string_view, std::int64_t> hashes;
  for (const auto& [name, count] : subscribed) {
    if (const TopicView* topic = metadata.find(name.value()))
      hashes.emplace_hint(hashes.end(), name.value(), topic_hash(*topic));
  }
  return group_hash(hashes);
}

bool is_metadata_stale(const ConsumerGroup& group, const MetadataView& metadata) {
  // An epoch that was never written: the records of that step were refused.
  return group.soft.checked_version != metadata.version() || group.epoch < group.soft.checked_epoch;
}

void on_consumer_metadata(const Step& step) {
  SoftState& soft = step.state.soft;
  const MetadataView& now = *step.context.metadata;
  for (const TopicView& topic : now.topics()) {
    if (soft.metadata == nullptr || soft.metadata->find(topic.id) == nullptr) {
      soft.new_topics_version = now.version();
      break;
    }
  }
  soft.metadata = step.context.metadata;
}

}  // namespace cohort::coordinator
