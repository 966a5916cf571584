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
  coordinator::GroupOverridesById groups;
  for (const auto& [id, settings] : snapshot.groups()) {
    coordinator::GroupOverrides& own = groups[protocol::GroupId(id)];
    own.consumer_session_timeout = config::own_group_setting(settings, config::kGroupSessionTimeout);
    own.consumer_heartbeat_interval = config::own_group_setting(settings, config::kGroupHeartbeatInterval);
    own.consumer_assignment_interval = config::own_group_setting(settings, config::kGroupAssignmentInterval);
    own.offsets_retention = config::own_group_setting(settings, config::kGroupOffsetsRetention);
  }
  return std::make_shared<const coordinator::MetadataView>(snapshot.version(), std::move(topics), std::move(groups));
}

}  // namespace cohort::app
