#include "server/config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "server/config/environment.h"
#include "server/config/listeners.h"
#include "server/config/properties.h"

namespace cohort::config {
namespace {

struct Given {
  std::string value;
  Source source;
  std::string place;  // "server.properties, line 3", "the variable KAFKA_NODE_ID" or "--override"
};
using GivenByKey = std::unordered_map<std::string, Given>;

std::unexpected<Error> bad_value(const Given& given, std::string_view key, std::string_view allowed) {
  return fail(ErrorKind::kInvalid,
              fmt::format("{}: {}={} is not possible, it must be {}", given.place, key, given.value, allowed));
}

Result<GivenByKey> gather(const std::optional<FileText>& file, const std::vector<std::string>& overrides,
                          const std::vector<std::string>& environment) {
  GivenByKey given;
  if (file) {
    auto properties = parse_properties(file->text);
    if (!properties) {
      return fail(ErrorKind::kInvalid, fmt::format("{}, {}", file->name, properties.error().message));
    }
    for (Property& property : *properties) {
      std::string place = fmt::format("{}, line {}", file->name, property.line);
      if (property.key.empty()) {
        return fail(ErrorKind::kInvalid,
                    fmt::format("{}: there is no key before \"{}\"; write key=value", place, property.value));
      }
      given.insert_or_assign(std::move(property.key),
                             Given{std::move(property.value), Source::kFile, std::move(place)});
    }
  }
  for (const std::string& entry : environment) {
    auto setting = setting_of_variable(entry);
    if (!setting) continue;
    given.insert_or_assign(std::move(setting->key), Given{std::move(setting->value), Source::kEnvironment,
                                                          fmt::format("the variable {}", setting->variable)});
  }
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorKind::kInvalid, fmt::format("--override {}: write key=value", text));
    }
    given.insert_or_assign(text.substr(0, equals), Given{text.substr(equals + 1), Source::kOverride, "--override"});
  }
  return given;
}

// Runs the setters in the order of the table: in Kafka, too, the finer of two keys wins whatever their order in the
// file.
Result<void> apply_keys(Loaded& loaded, const GivenByKey& given) {
  for (const Key& key : keys()) {
    const auto found = given.find(std::string(key.name));
    const Given* set = found == given.end() ? nullptr : &found->second;
    Setting setting{.key = &key, .value = std::nullopt, .source = Source::kDefault};
    if (set) {
      setting.value = set->value;
      setting.source = set->source;
    } else if (key.default_text) {
      setting.value = std::string(*key.default_text);
    }
    if (setting.value) {
      const Given by_default{*setting.value, Source::kDefault, "default"};
      const Given& from = set ? *set : by_default;
      auto value = parse_value(key, *setting.value);
      if (!value) return bad_value(from, key.name, value.error().message);
      if (auto stored = key.set(loaded.config, *value); !stored) {
        return bad_value(from, key.name, stored.error().message);
      }
    }
    loaded.settings.push_back(std::move(setting));
  }
  return {};
}

// One rule between two keys: holds, or the sentence that says what would.
struct Rule {
  bool holds;
  std::string_view key;
  std::string allowed;
};

// The rules between keys of Kafka's GroupCoordinatorConfig.validate.
Result<void> check_rules(const Loaded& loaded, const GivenByKey& given) {
  const GroupConfig& g = loaded.config.group;
  const std::string why_not_served = config::why_not_served(loaded.config.net);
  const auto within = [](std::string_view min, Duration low, std::string_view max, Duration high) {
    return fmt::format("from {} ({}) to {} ({})", min, low.count(), max, high.count());
  };
  const auto at_least = [](std::string_view min, Duration low) {
    return fmt::format("at least {} ({})", min, low.count());
  };
  const Rule rules[] = {
      {g.consumer_max_session_timeout >= g.consumer_min_session_timeout, "group.consumer.max.session.timeout.ms",
       at_least("group.consumer.min.session.timeout.ms", g.consumer_min_session_timeout)},
      {g.consumer_session_timeout >= g.consumer_min_session_timeout &&
           g.consumer_session_timeout <= g.consumer_max_session_timeout,
       "group.consumer.session.timeout.ms",
       within("group.consumer.min.session.timeout.ms", g.consumer_min_session_timeout,
              "group.consumer.max.session.timeout.ms", g.consumer_max_session_timeout)},
      {g.consumer_max_heartbeat_interval >= g.consumer_min_heartbeat_interval,
       "group.consumer.max.heartbeat.interval.ms",
       at_least("group.consumer.min.heartbeat.interval.ms", g.consumer_min_heartbeat_interval)},
      {g.consumer_heartbeat_interval >= g.consumer_min_heartbeat_interval &&
           g.consumer_heartbeat_interval <= g.consumer_max_heartbeat_interval,
       "group.consumer.heartbeat.interval.ms",
       within("group.consumer.min.heartbeat.interval.ms", g.consumer_min_heartbeat_interval,
              "group.consumer.max.heartbeat.interval.ms", g.consumer_max_heartbeat_interval)},
      {g.consumer_session_timeout > g.consumer_heartbeat_interval, "group.consumer.session.timeout.ms",
       fmt::format("more than group.consumer.heartbeat.interval.ms ({})", g.consumer_heartbeat_interval.count())},
      {g.consumer_max_assignment_interval >= g.consumer_min_assignment_interval,
       "group.consumer.max.assignment.interval.ms",
       at_least("group.consumer.min.assignment.interval.ms", g.consumer_min_assignment_interval)},
      {g.consumer_assignment_interval >= g.consumer_min_assignment_interval &&
           g.consumer_assignment_interval <= g.consumer_max_assignment_interval,
       "group.consumer.assignment.interval.ms",
       within("group.consumer.min.assignment.interval.ms", g.consumer_min_assignment_interval,
              "group.consumer.max.assignment.interval.ms", g.consumer_max_assignment_interval)},
      {why_not_served.empty(), "listeners", why_not_served},
      {loaded.config.net.queued_max_bytes >= loaded.config.net.request_max_bytes, "queued.max.request.bytes",
       fmt::format("at least socket.request.max.bytes ({})", loaded.config.net.request_max_bytes)},
  };
  for (const Rule& rule : rules) {
    if (rule.holds) continue;
    const auto found = given.find(std::string(rule.key));
    const Given by_default{std::string(find_key(rule.key)->default_text.value_or("")), Source::kDefault,
                           "default value"};
    return bad_value(found == given.end() ? by_default : found->second, rule.key, rule.allowed);
  }
  return {};
}

void note_unserved(Loaded& loaded, const GivenByKey& given) {
  for (const auto& [key, from] : given) {
    if (find_key(key)) continue;
    if (is_ignored_kafka_key(key)) {
      loaded.ignored.push_back(key);
    } else {
      loaded.warnings.push_back(fmt::format("{}: the key {} is not known and has no effect", from.place, key));
    }
  }
  std::ranges::sort(loaded.ignored);
  std::ranges::sort(loaded.warnings);
}

// Listeners of Kafka's controllers are left out; what only advertised.listeners names is listened on.
Result<void> settle_listeners(GivenByKey& given) {
  if (const auto names = given.find("controller.listener.names"); names != given.end()) {
    for (const char* key : {"listeners", "advertised.listeners"}) {
      const auto found = given.find(key);
      if (found == given.end()) continue;
      std::string kept = without_controllers(found->second.value, names->second.value);
      if (kept.empty() && found->second.value.find("://") != std::string::npos) {
        return bad_value(found->second, key,
                         "at least one listener that controller.listener.names does not name: a node that is a "
                         "controller alone has nothing to do here");
      }
      found->second.value = std::move(kept);
    }
  }
  const auto advertised = given.find("advertised.listeners");
  if (advertised != given.end() && !given.contains("listeners")) {
    if (auto listeners = listeners_for(advertised->second.value)) {
      given.emplace("listeners", Given{*std::move(listeners), advertised->second.source, advertised->second.place});
    }
  }
  return {};
}

}  // namespace

Result<Loaded> load(const std::optional<FileText>& file, const std::vector<std::string>& overrides,
                    const std::vector<std::string>& environment) {
  auto given = gather(file, overrides, environment);
  if (!given) return std::unexpected(given.error());
  if (auto settled = settle_listeners(*given); !settled) return std::unexpected(settled.error());
  Loaded loaded;
  if (auto applied = apply_keys(loaded, *given); !applied) return std::unexpected(applied.error());
  if (auto checked = check_rules(loaded, *given); !checked) return std::unexpected(checked.error());
  note_unserved(loaded, *given);
  return loaded;
}

}  // namespace cohort::config
