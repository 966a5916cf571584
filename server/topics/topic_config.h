// The configuration of a topic: one table of keys with type, range, default and explanation (Kafka's LogConfig), from
// which creating, altering and describing all work, and the typed values that the rest of the room reads.
// Pure functions and plain values; threads may share them.
//
// Why typed values beside the strings: the path of a produce request reads fields, and a topic's strings must come back
// exactly as the operator wrote them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/batch/record_batch.h"
#include "server/config/key.h"
#include "server/config/server_config.h"
#include "server/topics/catalogue_requests.h"

namespace cohort::topics {

// Key → value as written. Only keys of the table, only values that passed check_overrides.
using ConfigOverrides = std::map<std::string, std::string, std::less<>>;

// What a topic's keys come to. Units are in the names; limits as in the table.
struct TopicConfig {
  std::int64_t retention_ms = 0;     // -1: for ever
  std::int64_t retention_bytes = 0;  // -1: no limit
  std::int32_t segment_bytes = 0;
  std::int64_t segment_ms = 0;
  bool clean_by_delete = false;
  bool clean_by_compact = false;
  std::int64_t delete_retention_ms = 0;
  std::int64_t min_compaction_lag_ms = 0;
  std::int64_t max_compaction_lag_ms = 0;
  double min_cleanable_dirty_ratio = 0;
  std::int32_t max_message_bytes = 0;
  protocol::TimestampType timestamp_type = protocol::TimestampType::kCreateTime;
  std::int64_t timestamp_before_max_ms = 0;
  std::int64_t timestamp_after_max_ms = 0;
  std::int64_t flush_messages = 0;
  std::int64_t flush_ms = 0;
  std::optional<protocol::Compression> compression;  // nothing: keep what the producer chose
  std::int32_t min_insync_replicas = 1;              // above 1 acks=all cannot be met: NOT_ENOUGH_REPLICAS
  config::Durability durability = config::Durability::kOs;
  friend bool operator==(const TopicConfig&, const TopicConfig&) = default;
};

// The values of a topic with these overrides. Overrides that were valid once and no longer are (another release wrote
// them) fall back to the default: what is stored must never stop a start.
TopicConfig resolve_config(const ConfigOverrides& overrides, const config::TopicDefaults& defaults);

// Why these overrides cannot be (unknown key, wrong type, out of range, keys that contradict each other):
// INVALID_CONFIG.
Result<void> check_overrides(const ConfigOverrides& overrides, const config::TopicDefaults& defaults);

// Applies an IncrementalAlterConfigs to the overrides, as Kafka's ConfigurationControlManager does. Does not check the
// outcome. kAppend and kSubtract are for lists only and start from the default when the key is not overridden.
struct ConfigRefusal {
  protocol::ErrorCode error;
  std::string message;
};
std::optional<ConfigRefusal> apply_changes(ConfigOverrides& overrides, const std::vector<ConfigChange>& changes,
                                           const config::TopicDefaults& defaults);

// ---- DescribeConfigs ----

enum class ConfigSource : std::int8_t { kTopic = 1, kStaticBroker = 4, kDefault = 5 };

struct ConfigSynonym {
  std::string name;
  std::string value;
  ConfigSource source = ConfigSource::kDefault;
};
struct DescribedConfig {
  std::string name;
  std::string value;
  ConfigSource source = ConfigSource::kDefault;
  config::KeyType type = config::KeyType::kString;
  std::vector<ConfigSynonym> synonyms;  // the one that counts first; empty for a default that no server key names
  std::string_view documentation;       // of static life
};

// All keys, in the order of the table (by name).
std::vector<DescribedConfig> describe_config(const ConfigOverrides& overrides, const config::TopicDefaults& defaults);

}  // namespace cohort::topics
