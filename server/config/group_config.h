// What the group coordinator needs to know of the configuration: plain values with Kafka's defaults.
// Made once by `config`, owned by `app`, read by every shard; never changed while the process lives.
//
// Why not the key-value table itself: a coordinator is tested with a struct literal, and a look-up by name on the path
// of a heartbeat would be waste. Names follow Kafka's GroupCoordinatorConfig; range and doc of a key stand in
// group_keys.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "protocol/base/time.h"

namespace cohort::config {

// Kafka's ConsumerGroupMigrationPolicy.
enum class MigrationPolicy : std::uint8_t { kDisabled, kUpgrade, kDowngrade, kBidirectional };
constexpr bool allows_upgrade(MigrationPolicy policy) {
  return policy == MigrationPolicy::kUpgrade || policy == MigrationPolicy::kBidirectional;
}
constexpr bool allows_downgrade(MigrationPolicy policy) {
  return policy == MigrationPolicy::kDowngrade || policy == MigrationPolicy::kBidirectional;
}

struct GroupConfig {
  // group.consumer.session.timeout.ms and its bounds for a group's own value.
  Duration consumer_session_timeout = std::chrono::seconds{45};
  Duration consumer_min_session_timeout = std::chrono::seconds{45};
  Duration consumer_max_session_timeout = std::chrono::seconds{60};
  // group.consumer.heartbeat.interval.ms and its bounds for a group's own value.
  Duration consumer_heartbeat_interval = std::chrono::seconds{5};
  Duration consumer_min_heartbeat_interval = std::chrono::seconds{5};
  Duration consumer_max_heartbeat_interval = std::chrono::seconds{15};
  // group.consumer.max.size: members of one group, > 0.
  std::int32_t consumer_max_size = std::numeric_limits<std::int32_t>::max();
  // group.consumer.assignors, each one of "uniform", "range"; the first is the default of a group. Never empty.
  std::vector<std::string> consumer_assignors = {"uniform", "range"};
  // group.consumer.assignment.interval.ms: least time between two target assignments of a group; 0: none.
  Duration consumer_assignment_interval = std::chrono::seconds{1};
  Duration consumer_min_assignment_interval = std::chrono::seconds{0};
  Duration consumer_max_assignment_interval = std::chrono::seconds{15};
  // group.consumer.assignor.offload.enable: compute target assignments as jobs instead of within the heartbeat.
  bool consumer_assignor_offload = true;
  // group.consumer.migration.policy: may a group with members change its protocol?
  MigrationPolicy consumer_migration_policy = MigrationPolicy::kBidirectional;
  // group.consumer.regex.refresh.interval.ms, at least 10 s.
  Duration consumer_regex_refresh_interval = std::chrono::minutes{10};

  // group.min.session.timeout.ms, group.max.session.timeout.ms: what members of classic groups may ask for.
  Duration classic_min_session_timeout = std::chrono::seconds{6};
  Duration classic_max_session_timeout = std::chrono::minutes{30};
  // group.initial.rebalance.delay.ms: how long the first members of a classic group wait for more; 0: not at all.
  Duration classic_initial_rebalance_delay = std::chrono::seconds{3};
  // group.max.size: members of one classic group, > 0.
  std::int32_t classic_max_size = std::numeric_limits<std::int32_t>::max();

  // group.describe.compat.enable: DescribeGroups shows consumer groups, too, as if they were classic ones.
  bool describe_compat = false;

  // Bounds of cohort's own, > 0, of one partition of __consumer_offsets: cohort.max.groups and
  // cohort.max.similar.groups (groups whose ids differ only in a UUID or hash), of which each partition gets its share,
  // see share_of().
  std::int32_t max_groups = 1'000'000;
  std::int32_t max_similar_groups = 10'000;
  // cohort.group.max.offsets: committed offsets of one group, > 0.
  std::int32_t group_max_offsets = 1'000'000;

  // offset.metadata.max.bytes: longest metadata of a committed offset, counted as Kafka does (characters).
  std::int32_t offset_metadata_max_bytes = 4096;
  // offsets.retention.minutes: how long offsets outlive their group's last member.
  Duration offsets_retention = std::chrono::minutes{10080};
  // offsets.retention.check.interval.ms: how often expired offsets are looked for.
  Duration offsets_retention_check_interval = std::chrono::minutes{10};

  friend bool operator==(const GroupConfig&, const GroupConfig&) = default;
};

// What one of so many partitions of __consumer_offsets goes by: groups are spread over them evenly, more or less, and
// no partition knows of the others.
GroupConfig share_of(const GroupConfig& whole, std::int32_t partitions);

}  // namespace cohort::config
