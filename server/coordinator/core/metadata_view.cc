#include "server/coordinator/core/metadata_view.h"

#include <algorithm>

#include "protocol/base/check.h"

namespace cohort::coordinator {

MetadataView::MetadataView(std::int64_t version, std::vector<TopicView> topics, GroupOverridesById groups)
    : version_(version), topics_(std::move(topics)), groups_(std::move(groups)) {
  std::ranges::sort(topics_, {}, &TopicView::name);
  by_id_.reserve(topics_.size());
  for (std::size_t i = 0; i < topics_.size(); ++i) {
    CHECK(topics_[i].partitions > 0, "a topic has partitions");
    const bool fresh = by_id_.emplace(topics_[i].id, i).second;
    CHECK(fresh && (i == 0 || topics_[i - 1].name != topics_[i].name), "topic names and ids are unique");
  }
}

const TopicView* MetadataView::find(std::string_view name) const {
  const auto it = std::ranges::lower_bound(topics_, name, {},
                                           [](const TopicView& topic) { return std::string_view(topic.name.value()); });
  return it != topics_.end() && it->name == name ? &*it : nullptr;
}

const TopicView* MetadataView::find(const protocol::TopicId& id) const {
  const auto it = by_id_.find(id);
  return it != by_id_.end() ? &topics_[it->second] : nullptr;
}

const GroupOverrides* MetadataView::overrides(std::string_view group) const {
  if (groups_.empty()) return nullptr;
  const auto it = groups_.find(group);
  return it != groups_.end() ? &it->second : nullptr;
}

}  // namespace cohort::coordinator
