#include "server/config/group_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace cohort::config {
namespace {

using G = GroupConfig;

constexpr std::array kKeys{
    GroupSettingKey{kGroupAssignmentInterval, "group.consumer.assignment.interval.ms", &G::consumer_assignment_interval,
                    &G::consumer_min_assignment_interval, &G::consumer_max_assignment_interval,
                    "Least time between two assignments of this group."},
    GroupSettingKey{kGroupHeartbeatInterval, "group.consumer.heartbeat.interval.ms", &G::consumer_heartbeat_interval,
                    &G::consumer_min_heartbeat_interval, &G::consumer_max_heartbeat_interval,
                    "How often the members of this group are told to send a heartbeat."},
    GroupSettingKey{kGroupSessionTimeout, "group.consumer.session.timeout.ms", &G::consumer_session_timeout,
                    &G::consumer_min_session_timeout, &G::consumer_max_session_timeout,
                    "How long a member of this group may be silent before it is removed."},
};
static_assert(std::ranges::is_sorted(kKeys, {}, &GroupSettingKey::name));

std::optional<Duration> parse(std::string_view text) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return Duration{number};
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
  const auto found = settings.find(name);
  return found == settings.end() ? std::nullopt : parse(found->second);
}

Result<void> check_group_settings(const GroupSettings& settings, const GroupConfig& config) {
  for (const auto& [name, text] : settings) {
    const GroupSettingKey* key = find_group_setting_key(name);
    if (key == nullptr) return fail(ErrorKind::kInvalid, fmt::format("Unknown group config name: {}", name));
    const auto value = parse(text);
    const Duration min = config.*(key->min);
    const Duration max = config.*(key->max);
    if (!value || *value < min || *value > max) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{}={} must be a whole number from {} to {}", name, text, min.count(), max.count()));
    }
  }
  const Duration session = own_group_setting(settings, kGroupSessionTimeout).value_or(config.consumer_session_timeout);
  const Duration heartbeat =
      own_group_setting(settings, kGroupHeartbeatInterval).value_or(config.consumer_heartbeat_interval);
  if (session <= heartbeat) {
    return fail(ErrorKind::kInvalid, fmt::format("{} ({}) must be greater than {} ({})", kGroupSessionTimeout,
                                                 session.count(), kGroupHeartbeatInterval, heartbeat.count()));
  }
  return {};
}

}  // namespace cohort::config
