// The table of topic keys: one row per key, all that is known about it. Names, types, ranges and defaults are those of
// Kafka's LogConfig and ServerTopicConfigSynonyms; keys that start with cohort. are our own. Those of tiered storage
// and of replication throttling mean nothing on one node; they are here for tools that copy a topic's configuration.
// Private to topics.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "server/config/server_config.h"
#include "server/topics/topic_config.h"

namespace cohort::topics {

struct ConfigKey {
  std::string_view name;
  std::string_view server_key = {};  // whose value a topic has that does not say otherwise; empty: none
  config::KeyType type;
  std::string (*default_value)(const config::TopicDefaults& defaults);
  std::string_view documentation;
  double min = std::numeric_limits<double>::lowest();  // of numbers
  double max = std::numeric_limits<double>::max();
  std::span<const std::string_view> allowed = {};  // of strings, booleans, each entry of a list; empty: anything
  // Whether the server's key has a default of its own; log.retention.ms has not, its default is that of
  // log.retention.hours.
  bool server_key_has_default = true;
};

// Sorted by name.
std::span<const ConfigKey> config_keys();
// Null when there is no such key.
const ConfigKey* find_config_key(std::string_view name);

}  // namespace cohort::topics
