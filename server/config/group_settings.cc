#include "server/config/group_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/base/check.h"
#include "server/config/key.h"
#include "server/config/parse.h"

namespace cohort::config {
namespace {

using G = GroupConfig;

constexpr Duration kForever = Duration::max();

constexpr std::array kKeys{
    GroupSettingKey{kGroupAssignmentInterval, "group.consumer.assignment.interval.ms", &G::consumer_assignment_interval,
                    &G::consumer_min_assignment_interval, &G::consumer_max_assignment_interval,
                    std::chrono::milliseconds{1}, "Least time between two assignments of this group."},
    GroupSettingKey{kGroupHeartbeatInterval, "group.consumer.heartbeat.interval.ms", &G::consumer_heartbeat_interval,
                    &G::consumer_min_heartbeat_interval, &G::consumer_max_heartbeat_interval,
                    std::chrono::milliseconds{1}, "How often the members of this group are told to send a heartbeat."},
    GroupSettingKey{kGroupSessionTimeout, "group.consumer.session.timeout.ms", &G::consumer_session_timeout,
                    &G::consumer_min_session_timeout, &G::consumer_max_session_timeout, std::chrono::milliseconds{1},
                    "How long a member of this group may be silent before it is removed."},
    GroupSettingKey{kGroupOffsetsRetention, "offsets.retention.minutes", &G::offsets_retention, nullptr, nullptr,
                    std::chrono::minutes{1},
                    "How long offsets of this group are kept when it does not use them; -1: for ever."},
};
static_assert(std::ranges::is_sorted(kKeys, {}, &GroupSettingKey::name));

// Type and least value are those of the server's key, as in Kafka.
std::optional<Duration> parse(const GroupSettingKey& key, std::string_view text) {
  if (key.min == nullptr && parse_number<int>(text) == -1) return kForever;
  const Key* server_key = find_key(key.server_key);
  CHECK(server_key != nullptr, key.server_key);
  const auto value = parse_value(*server_key, text);
  if (!value) return std::nullopt;
  return key.unit * std::get<std::int64_t>(*value);
}

std::string to_text(const GroupSettingKey& key, Duration value) {
  return value == kForever ? "-1" : fmt::format("{}", value / key.unit);
}

bool is_within_bounds(const GroupSettingKey& key, Duration value, const GroupConfig& config) {
  return key.min == nullptr || (value >= config.*(key.min) && value <= config.*(key.max));
}

std::string describe_bounds(const GroupSettingKey& key, const GroupConfig& config) {
  if (key.min == nullptr) return "-1 or a whole number above 0";
  return fmt::format("a whole number from {} to {}", (config.*(key.min)).count(), (config.*(key.max)).count());
}

std::optional<Duration> own(const GroupSettings& settings, const GroupSettingKey& key) {
  const auto found = settings.find(key.name);
  return found == settings.end() ? std::nullopt : parse(key, found->second);
}

}  // namespace

std::span<const GroupSettingKey> group_setting_keys() {
  return kKeys;
}

const GroupSettingKey* find_group_setting_key(std::string_view name) {
  const auto found = std::ranges::find(kKeys, name, &GroupSettingKey::name);
  return found == kKeys.end() ? nullptr : &*found;
}

std::optional<Duration> own_group_setting(const GroupSettings& settings, std::string_view name) {
  const GroupSettingKey* key = find_group_setting_key(name);
  return key == nullptr ? std::nullopt : own(settings, *key);
}

Result<GroupSettings> check_group_settings(const GroupSettings& settings, const GroupConfig& config) {
  GroupSettings checked;
  for (const auto& [name, text] : settings) {
    const GroupSettingKey* key = find_group_setting_key(name);
    if (key == nullptr) return fail(ErrorKind::kInvalid, fmt::format("Unknown group config name: {}", name));
    const auto value = parse(*key, text);
    if (!value || !is_within_bounds(*key, *value, config)) {
      return fail(ErrorKind::kInvalid, fmt::format("{}={} must be {}", name, text, describe_bounds(*key, config)));
    }
    checked.emplace(name, to_text(*key, *value));
  }
  const Duration session = own_group_setting(checked, kGroupSessionTimeout).value_or(config.consumer_session_timeout);
  const Duration heartbeat =
      own_group_setting(checked, kGroupHeartbeatInterval).value_or(config.consumer_heartbeat_interval);
  if (session <= heartbeat) {
    return fail(ErrorKind::kInvalid, fmt::format("{} ({}) must be greater than {} ({})", kGroupSessionTimeout,
                                                 session.count(), kGroupHeartbeatInterval, heartbeat.count()));
  }
  return checked;
}

std::vector<std::string> explain_clamped(std::string_view group, const GroupSettings& settings,
                                         const GroupConfig& config) {
  std::vector<std::string> sentences;
  GroupConfig effective = config;
  for (const GroupSettingKey& key : kKeys) {
    const auto value = own(settings, key);
    if (!value || key.min == nullptr) continue;
    const Duration min = config.*(key.min);
    const Duration max = config.*(key.max);
    effective.*(key.value) = std::clamp(*value, min, std::max(min, max));
    if (effective.*(key.value) == *value) continue;
    sentences.push_back(fmt::format("group '{}' has {}={}, but the server allows {} to {}: {} is used", group, key.name,
                                    value->count(), min.count(), max.count(), (effective.*(key.value)).count()));
  }
  if (!sentences.empty() && effective.consumer_session_timeout <= effective.consumer_heartbeat_interval) {
    sentences.push_back(
        fmt::format("group '{}' comes to a session timeout of {} ms, not above its heartbeat interval "
                    "of {} ms: its members are removed again and again",
                    group, effective.consumer_session_timeout.count(), effective.consumer_heartbeat_interval.count()));
  }
  return sentences;
}

}  // namespace cohort::config
