// An immutable snapshot of the topics, all that a coordinator knows of them (name, id, partition count), and of the
// values that groups have set for themselves (resource type GROUP).
// `app` makes one from what `topics` publishes and hands it to every shard as an input; the coordinator never asks
// back. So the topic store may as well be another cluster. Shared between threads, never changed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/types/ids.h"

namespace cohort::coordinator {

struct TopicView {
  protocol::TopicId id;
  protocol::TopicName name;
  std::int32_t partitions = 0;  // > 0
};

// A group's own values of consumer.session.timeout.ms and the like; what is missing follows the process's
// configuration. A stored value outside the bounds of the configuration, where there are any, is clamped by the
// coordinator (Kafka's GroupConfig).
struct GroupOverrides {
  std::optional<Duration> consumer_session_timeout{};
  std::optional<Duration> consumer_heartbeat_interval{};
  std::optional<Duration> consumer_assignment_interval{};
  std::optional<Duration> offsets_retention{};  // offsets.retention.minutes; Duration::max(): for ever
};
using GroupOverridesById = std::map<protocol::GroupId, GroupOverrides, std::less<>>;

class MetadataView {
 public:
  MetadataView() = default;
  // version grows with every change of the catalogue, also over a restart. Names and ids are unique.
  MetadataView(std::int64_t version, std::vector<TopicView> topics, GroupOverridesById groups = {});

  std::int64_t version() const { return version_; }
  // Null when there is no such topic. The pointer lives as long as the view.
  const TopicView* find(std::string_view name) const;
  const TopicView* find(const protocol::TopicId& id) const;
  // Sorted by name.
  const std::vector<TopicView>& topics() const { return topics_; }
  // Null when the group has none, which is nearly always.
  const GroupOverrides* overrides(std::string_view group) const;

 private:
  std::int64_t version_ = 0;
  std::vector<TopicView> topics_;
  std::unordered_map<protocol::TopicId, std::size_t> by_id_;
  GroupOverridesById groups_;
};

}  // namespace cohort::coordinator
