#include "server/app/metadata_adapter.h"

#include <utility>
#include <vector>

namespace cohort::app {

std::shared_ptr<const coordinator::MetadataView> metadata_view(const topics::CatalogueSnapshot& snapshot) {
  std::vector<coordinator::TopicView> topics;
  topics.reserve(snapshot.topics().size());
  for (const auto& topic : snapshot.topics()) {
    topics.push_back({.id = topic->id, .name = topic->name, .partitions = topic->partitions});
  }
  return std::make_shared<const coordinator::MetadataView>(snapshot.version(), std::move(topics));
}

}  // namespace cohort::app
