#include "server/topics/topic_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "protocol/base/check.h"
#include "server/config/parse.h"
#include "server/topics/topic_config_keys.h"

namespace cohort::topics {
namespace {

constexpr std::size_t kMaxValueSize = 1000;  // no value that means something is longer

using protocol::ErrorCode;

bool contains(const auto& entries, std::string_view entry) {
  return std::ranges::find(entries, entry) != std::ranges::end(entries);
}

using config::parse_number;
using config::same_but_case;
using config::trimmed;

// ConfigDef's lists: split at commas with the spaces around them; a blank text is an empty list, and what stands there
// twice counts once.
std::vector<std::string> parse_list(std::string_view text) {
  std::vector<std::string> entries;
  text = trimmed(text);
  if (text.empty()) return entries;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string entry(trimmed(text.substr(0, comma)));
    if (!contains(entries, entry)) entries.push_back(std::move(entry));
    if (comma == std::string_view::npos) return entries;
    text.remove_prefix(comma + 1);
  }
}

Result<void> refuse(const ConfigKey& key, std::string_view value, std::string_view why) {
  return fail(ErrorKind::kInvalid, fmt::format("Invalid value {} for configuration {}: {}", value, key.name, why));
}

Result<void> check_number(const ConfigKey& key, std::string_view value, std::optional<double> number,
                          std::string_view type_name) {
  if (!number) return refuse(key, value, fmt::format("Not a number of type {}", type_name));
  if (*number < key.min) return refuse(key, value, fmt::format("Value must be at least {}", key.min));
  if (*number > key.max) return refuse(key, value, fmt::format("Value must be at most {}", key.max));
  // Kafka's levelValidator of gzip: 1 to 9, or the default -1.
  if (key.name == "compression.gzip.level" && *number == 0) return refuse(key, value, "Value must be 1 to 9, or -1");
  return {};
}

Result<void> check_list(const ConfigKey& key, std::string_view value) {
  for (const std::string& entry : parse_list(value)) {
    if (entry.empty()) return refuse(key, value, "Entries of the list must not be empty");
    if (!key.allowed.empty() && !contains(key.allowed, std::string_view(entry))) {
      return refuse(key, entry, fmt::format("String must be one of: {}", fmt::join(key.allowed, ", ")));
    }
  }
  return {};
}

template <typename Integer>
std::optional<double> as_double(std::optional<Integer> value) {
  // Ranges lie far inside what a double holds exactly.
  return value ? std::optional(static_cast<double>(*value)) : std::nullopt;
}

// Kafka prints what it parsed, not what was written (ConfigDef.convertToString).
std::string canonical(const ConfigKey& key, std::string_view value) {
  switch (key.type) {
    case config::KeyType::kBoolean:
      return same_but_case(trimmed(value), "true") ? "true" : "false";
    case config::KeyType::kList:
      return fmt::format("{}", fmt::join(parse_list(value), ","));
    case config::KeyType::kInt:
    case config::KeyType::kLong:
      if (const auto number = parse_number<std::int64_t>(value)) return fmt::format("{}", *number);
      break;
    case config::KeyType::kString:
    case config::KeyType::kShort:
    case config::KeyType::kDouble:
      break;
  }
  return std::string(trimmed(value));
}

Result<void> check_value(const ConfigKey& key, std::string_view value) {
  if (value.size() > kMaxValueSize) {
    return fail(ErrorKind::kInvalid,
                fmt::format("The value of {} has {} bytes, {} are allowed", key.name, value.size(), kMaxValueSize));
  }
  switch (key.type) {
    case config::KeyType::kBoolean:
      if (!same_but_case(trimmed(value), "true") && !same_but_case(trimmed(value), "false")) {
        return refuse(key, value, "Expected value to be either true or false");
      }
      if (key.allowed.empty() || contains(key.allowed, std::string_view(canonical(key, value)))) return {};
      return refuse(key, value, fmt::format("It can only be {}", fmt::join(key.allowed, ", ")));
    case config::KeyType::kString:
      if (contains(key.allowed, trimmed(value))) return {};
      return refuse(key, value, fmt::format("String must be one of: {}", fmt::join(key.allowed, ", ")));
    case config::KeyType::kInt:
      return check_number(key, value, as_double(parse_number<std::int32_t>(value)), "INT");
    case config::KeyType::kLong:
      return check_number(key, value, as_double(parse_number<std::int64_t>(value)), "LONG");
    case config::KeyType::kShort:
      break;  // no key of a topic is one
    case config::KeyType::kDouble:
      return check_number(key, value, parse_number<double>(value), "DOUBLE");
    case config::KeyType::kList:
      return check_list(key, value);
  }
  CHECK(false, "a config key without a type");
}

// The value that counts: the override if it is one and can be used, else the default.
std::string effective(const ConfigOverrides& overrides, const config::TopicDefaults& defaults, std::string_view name) {
  const ConfigKey* key = find_config_key(name);
  CHECK(key != nullptr, name);
  const auto found = overrides.find(name);
  if (found != overrides.end() && check_value(*key, found->second)) return found->second;
  return key->default_value(defaults);
}

std::optional<protocol::Compression> compression_of(std::string_view type) {
  if (type == "uncompressed") return protocol::Compression::kNone;
  if (type == "gzip") return protocol::Compression::kGzip;
  if (type == "snappy") return protocol::Compression::kSnappy;
  if (type == "lz4") return protocol::Compression::kLz4;
  if (type == "zstd") return protocol::Compression::kZstd;
  return std::nullopt;
}

std::optional<ConfigRefusal> change_list(ConfigOverrides& overrides, const ConfigKey& key, const ConfigChange& change,
                                         const config::TopicDefaults& defaults) {
  const bool append = change.op == ConfigOp::kAppend;
  if (key.type != config::KeyType::kList) {
    return ConfigRefusal{ErrorCode::kInvalidConfig, fmt::format("Can't {} to key {} because its type is not LIST.",
                                                                append ? "APPEND" : "SUBTRACT", key.name)};
  }
  const auto found = overrides.find(key.name);
  std::vector<std::string> entries = parse_list(found != overrides.end() ? found->second : key.default_value(defaults));
  for (std::string& entry : parse_list(*change.value)) {
    if (append && !contains(entries, entry))
      entries.push_back(std::move(entry));
    else if (!append)
      std::erase(entries, entry);
  }
  overrides.insert_or_assign(std::string(key.name), fmt::format("{}", fmt::join(entries, ",")));
  return std::nullopt;
}

}  // namespace

Result<void> check_overrides(const ConfigOverrides& overrides, const config::TopicDefaults& defaults) {
  for (const auto& [name, value] : overrides) {
    const ConfigKey* key = find_config_key(name);
    if (key == nullptr) return fail(ErrorKind::kInvalid, fmt::format("Unknown topic config name: {}", name));
    if (auto checked = check_value(*key, value); !checked) return checked;
  }
  // LogConfig.validateValues
  const auto min_lag = parse_number<std::int64_t>(effective(overrides, defaults, "min.compaction.lag.ms"));
  const auto max_lag = parse_number<std::int64_t>(effective(overrides, defaults, "max.compaction.lag.ms"));
  if (min_lag.value_or(0) > max_lag.value_or(0)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("min.compaction.lag.ms ({}) must not be above max.compaction.lag.ms ({})",
                            min_lag.value_or(0), max_lag.value_or(0)));
  }
  return {};
}

TopicConfig resolve_config(const ConfigOverrides& overrides, const config::TopicDefaults& defaults) {
  const auto number = [&](std::string_view name) {
    return parse_number<std::int64_t>(effective(overrides, defaults, name)).value_or(0);
  };
  const auto word = [&](std::string_view name) { return std::string(trimmed(effective(overrides, defaults, name))); };
  TopicConfig config;
  config.retention_ms = number("retention.ms");
  config.retention_bytes = number("retention.bytes");
  config.segment_bytes = static_cast<std::int32_t>(number("segment.bytes"));
  config.segment_ms = number("segment.ms");
  const std::vector<std::string> policies = parse_list(effective(overrides, defaults, "cleanup.policy"));
  config.clean_by_delete = contains(policies, "delete");
  config.clean_by_compact = contains(policies, "compact");
  config.delete_retention_ms = number("delete.retention.ms");
  config.min_compaction_lag_ms = number("min.compaction.lag.ms");
  config.max_compaction_lag_ms = number("max.compaction.lag.ms");
  config.min_cleanable_dirty_ratio =
      parse_number<double>(effective(overrides, defaults, "min.cleanable.dirty.ratio")).value_or(0.5);
  config.max_message_bytes = static_cast<std::int32_t>(number("max.message.bytes"));
  config.timestamp_type = word("message.timestamp.type") == "LogAppendTime" ? protocol::TimestampType::kLogAppendTime
                                                                            : protocol::TimestampType::kCreateTime;
  config.timestamp_before_max_ms = number("message.timestamp.before.max.ms");
  config.timestamp_after_max_ms = number("message.timestamp.after.max.ms");
  config.flush_messages = number("flush.messages");
  config.flush_ms = number("flush.ms");
  config.compression = compression_of(word("compression.type"));
  config.min_insync_replicas = static_cast<std::int32_t>(number("min.insync.replicas"));
  config.durability = word("cohort.durability") == "sync" ? config::Durability::kSync : config::Durability::kOs;
  return config;
}

std::optional<ConfigRefusal> apply_changes(ConfigOverrides& overrides, const std::vector<ConfigChange>& changes,
                                           const config::TopicDefaults& defaults) {
  // ConfigAdminManager.preprocess
  std::set<std::string_view> seen;
  for (const ConfigChange& change : changes) {
    if (!seen.insert(change.name).second) {
      return ConfigRefusal{ErrorCode::kInvalidRequest, "Error due to duplicate config keys"};
    }
    if (change.op != ConfigOp::kDelete && !change.value) {
      return ConfigRefusal{ErrorCode::kInvalidRequest, fmt::format("Null value not supported for : {}", change.name)};
    }
  }
  // ConfigurationControlManager.incrementalAlterConfigResource
  for (const ConfigChange& change : changes) {
    switch (change.op) {
      case ConfigOp::kSet:
        overrides.insert_or_assign(change.name, *change.value);
        continue;
      case ConfigOp::kDelete:
        overrides.erase(change.name);
        continue;
      case ConfigOp::kAppend:
      case ConfigOp::kSubtract: {
        const ConfigKey* key = find_config_key(change.name);
        if (key == nullptr) {
          return ConfigRefusal{ErrorCode::kInvalidConfig, fmt::format("Unknown topic config name: {}", change.name)};
        }
        if (auto refusal = change_list(overrides, *key, change, defaults)) return refusal;
        continue;
      }
    }
    return ConfigRefusal{ErrorCode::kInvalidRequest,
                         fmt::format("Unknown operation for configuration {}", change.name)};
  }
  return std::nullopt;
}

std::vector<DescribedConfig> describe_config(const ConfigOverrides& overrides, const config::TopicDefaults& defaults) {
  static const config::TopicDefaults kBuiltIn;
  std::vector<DescribedConfig> described;
  for (const ConfigKey& key : config_keys()) {
    DescribedConfig& config = described.emplace_back();
    config.name = key.name;
    config.type = key.type;
    config.documentation = key.documentation;
    if (const auto found = overrides.find(key.name); found != overrides.end()) {
      config.synonyms.push_back({config.name, canonical(key, found->second), ConfigSource::kTopic});
    }
    const std::string server_value = key.default_value(defaults);
    const std::string built_in = key.default_value(kBuiltIn);
    if (server_value != built_in) {
      config.synonyms.push_back({std::string(key.server_key), server_value, ConfigSource::kStaticBroker});
    }
    if (!key.server_key.empty() && key.server_key_has_default) {
      config.synonyms.push_back({std::string(key.server_key), built_in, ConfigSource::kDefault});
    }
    config.value = config.synonyms.empty() ? server_value : config.synonyms.front().value;
    config.source = config.synonyms.empty() ? ConfigSource::kDefault : config.synonyms.front().source;
  }
  return described;
}

}  // namespace cohort::topics
