// An immutable view of all topics at one version of the catalogue. Made by the catalogue on its reactor, shared by all
// threads, never changed: a request looks at one snapshot from its first line to its last and needs no lock.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/types/ids.h"
#include "protocol/types/uuid.h"
#include "server/config/group_settings.h"
#include "server/topics/topic_config.h"
#include "server/topics/topic_name.h"

namespace cohort::topics {

struct TopicInfo {
  protocol::TopicId id;
  protocol::TopicName name;
  std::int32_t partitions = 0;  // > 0
  bool internal = false;
  std::int64_t created_ms = 0;     // wall time
  std::int32_t made_at_start = 0;  // how often the server had started then, see CatalogueSnapshot::leader_epoch
  ConfigOverrides overrides;       // as the operator wrote them, sorted by name
  TopicConfig config;              // what they come to, with the defaults of this process
};

// What groups have set for themselves, by group id.
using GroupSettingsById = std::map<std::string, config::GroupSettings, std::less<>>;

class CatalogueSnapshot {
 public:
  CatalogueSnapshot() = default;
  // topics: names and ids unique, any order.
  CatalogueSnapshot(std::int64_t version, std::string cluster_id, std::vector<std::shared_ptr<const TopicInfo>> topics,
                    std::shared_ptr<const GroupSettingsById> groups = std::make_shared<const GroupSettingsById>(),
                    std::int32_t starts = 0);

  // Grows with every published change, over restarts too.
  std::int64_t version() const { return version_; }
  // 22 characters of URL-safe base64, fixed when the data folder was made.
  const std::string& cluster_id() const { return cluster_id_; }
  // Of all partitions of a topic of this snapshot: 0 in the start of the server that made it, one more with each start
  // since. Never falls, and does not change while the server lives.
  std::int32_t leader_epoch(const TopicInfo& topic) const { return starts_ - topic.made_at_start; }
  // How often the server has started with this data folder: the epoch of whoever leads its catalogue.
  std::int32_t starts() const { return starts_; }
  // Null when there is no such topic; lives as long as the snapshot.
  const TopicInfo* find(std::string_view name) const;
  const TopicInfo* find(const protocol::TopicId& id) const;
  // Sorted by name.
  const std::vector<std::shared_ptr<const TopicInfo>>& topics() const { return topics_; }
  // Of the groups that have any.
  const GroupSettingsById& groups() const { return *groups_; }

 private:
  std::int64_t version_ = 0;
  std::int32_t starts_ = 0;
  std::string cluster_id_;
  std::vector<std::shared_ptr<const TopicInfo>> topics_;
  std::shared_ptr<const GroupSettingsById> groups_ = std::make_shared<const GroupSettingsById>();
  std::unordered_map<std::string_view, const TopicInfo*> by_name_;  // keys are views into the topics
  std::unordered_map<protocol::TopicId, const TopicInfo*> by_id_;
};

}  // namespace cohort::topics
