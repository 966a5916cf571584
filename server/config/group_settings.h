// What a group may set for itself (resource type GROUP of DescribeConfigs and IncrementalAlterConfigs): one table of
// keys from which checking, describing and reading all work. Pure; constant data and plain values. Rules as in Kafka's
// GroupConfig: outside the server's bounds is refused when set; what is stored already and lies outside (the bounds
// were changed since) is clamped where it is used. One key is cohort's own: offsets.retention.minutes.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/group_config.h"

namespace cohort::config {

// Key → value. As written in a request; as Kafka prints them (no blanks, no leading zeros) in what is kept.
using GroupSettings = std::map<std::string, std::string, std::less<>>;

struct GroupSettingKey {
  std::string_view name;
  std::string_view server_key;  // the key of the server that gives the default
  Duration GroupConfig::* value;
  // The server's bounds. Null, both: what the server's own key may be, and -1, for ever.
  Duration GroupConfig::* min;
  Duration GroupConfig::* max;
  Duration unit;  // of the whole numbers that are written and shown
  std::string_view doc;
};

// Sorted by name. The keys of share and streams groups are not among them: they are unknown, as those groups are.
std::span<const GroupSettingKey> group_setting_keys();
const GroupSettingKey* find_group_setting_key(std::string_view name);

// The group's own value, not clamped; Duration::max() for ever; nothing when it has none or one that cannot be read.
std::optional<Duration> own_group_setting(const GroupSettings& settings, std::string_view name);

// The settings as they are kept, or why a group cannot have them (INVALID_CONFIG): an unknown key, no whole number,
// outside the server's bounds, a session timeout that is not above the heartbeat interval.
Result<GroupSettings> check_group_settings(const GroupSettings& settings, const GroupConfig& config);

// What the present bounds do to settings that were stored under others: a sentence for each (GroupConfig.evaluate).
std::vector<std::string> explain_clamped(std::string_view group, const GroupSettings& settings,
                                         const GroupConfig& config);

inline constexpr std::string_view kGroupSessionTimeout = "consumer.session.timeout.ms";
inline constexpr std::string_view kGroupHeartbeatInterval = "consumer.heartbeat.interval.ms";
inline constexpr std::string_view kGroupAssignmentInterval = "consumer.assignment.interval.ms";
inline constexpr std::string_view kGroupOffsetsRetention = "offsets.retention.minutes";

}  // namespace cohort::config
