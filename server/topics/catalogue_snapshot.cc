#include "server/topics/catalogue_snapshot.h"

#include <algorithm>

namespace cohort::topics {

CatalogueSnapshot::CatalogueSnapshot(std::int64_t version, std::string cluster_id,
                                     std::vector<std::shared_ptr<const TopicInfo>> topics,
                                     std::shared_ptr<const GroupSettingsById> groups, std::int32_t starts)
    : version_(version),
      starts_(starts),
      cluster_id_(std::move(cluster_id)),
      topics_(std::move(topics)),
      groups_(std::move(groups)) {
  std::ranges::sort(topics_, {}, [](const auto& topic) -> const std::string& { return topic->name.value(); });
  by_name_.reserve(topics_.size());
  by_id_.reserve(topics_.size());
  for (const auto& topic : topics_) {
    by_name_.emplace(topic->name.value(), topic.get());
    by_id_.emplace(topic->id, topic.get());
  }
}

const TopicInfo* CatalogueSnapshot::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const TopicInfo* CatalogueSnapshot::find(const protocol::TopicId& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

}  // namespace cohort::topics
