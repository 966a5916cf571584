#include "server/config/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "server/config/properties.h"

namespace cohort::config {
namespace {

struct Given {
  std::string value;
  Source source;
  std::string place;  // "server.properties, line 3" or "--override"
};
using GivenByKey = std::unordered_map<std::string, Given>;

std::unexpected<Error> bad_value(const Given& given, std::string_view key, std::string_view allowed) {
  return fail(ErrorKind::kInvalid,
              fmt::format("{}: {}={} is not possible, it must be {}", given.place, key, given.value, allowed));
}

Result<GivenByKey> gather(const std::optional<FileText>& file, const std::vector<std::string>& overrides) {
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

// Listeners that Kafka runs for its own controllers; cohort has none of those.
void drop_controller_listeners(GivenByKey& given) {
  const auto names = given.find("controller.listener.names");
  if (names == given.end()) return;
  const auto is_controller = [&](std::string_view item) {
    const std::string_view name = item.substr(0, item.find("://"));
    return fmt::format(",{},", names->second.value).find(fmt::format(",{},", name)) != std::string::npos;
  };
  for (const char* key : {"listeners", "advertised.listeners"}) {
    const auto found = given.find(key);
    if (found == given.end()) continue;
    std::vector<std::string_view> kept;
    std::string_view rest = found->second.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      const std::string_view item = rest.substr(0, comma);
      if (!is_controller(item)) kept.push_back(item);
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    std::string value = fmt::format("{}", fmt::join(kept, ","));
    if (!value.empty()) found->second.value = std::move(value);
  }
}

}  // namespace

Result<Listener> parse_listener(std::string_view text) {
  constexpr std::string_view kForm = "NAME://HOST:PORT, e.g. PLAINTEXT://127.0.0.1:9092";
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return fail(ErrorKind::kInvalid, std::string(kForm));
  Listener listener{.name = std::string(text.substr(0, scheme)), .host = {}, .port = 0};
  for (std::string_view secure : {"SSL", "SASL_PLAINTEXT", "SASL_SSL"}) {
    if (listener.name == secure) return fail(ErrorKind::kInvalid, "PLAINTEXT (TLS and SASL are not served)");
  }
  const std::string_view address = text.substr(scheme + 3);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return fail(ErrorKind::kInvalid, std::string(kForm));
  std::string_view host = address.substr(0, colon);
  const std::string_view port = address.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), listener.port);
  if (error != std::errc{} || end != port.data() + port.size()) {
    return fail(ErrorKind::kInvalid, fmt::format("{}, with a port from 0 to 65535", kForm));
  }
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return fail(ErrorKind::kInvalid, std::string(kForm));
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "NAME://[HOST]:PORT where HOST is an IPv6 address");
  }
  listener.host = std::string(host);
  return listener;
}

Result<Loaded> load(const std::optional<FileText>& file, const std::vector<std::string>& overrides) {
  auto given = gather(file, overrides);
  if (!given) return std::unexpected(given.error());
  drop_controller_listeners(*given);
  Loaded loaded;
  if (auto applied = apply_keys(loaded, *given); !applied) return std::unexpected(applied.error());
  if (auto checked = check_rules(loaded, *given); !checked) return std::unexpected(checked.error());
  note_unserved(loaded, *given);
  return loaded;
}

}  // namespace cohort::config
