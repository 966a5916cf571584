// The key table: one row per configuration key that cohort honours, in Kafka's names, with all that is known of it.
// load() (config.h), DescribeConfigs and the test of conf/cohort.properties all read this one table.
// Constant data; any thread.
//
// Why a row holds its own setter: a key without a home in ServerConfig, or the other way round, cannot come into being.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/server_config.h"

namespace cohort::config {

// Values are those of DescribeConfigs' ConfigType.
enum class KeyType : std::int8_t { kBoolean = 1, kString = 2, kInt = 3, kShort = 4, kLong = 5, kDouble = 6, kList = 7 };

using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

struct Key {
  std::string_view name;
  KeyType type;
  // As one would write it in a file; nullopt: no value unless set (Kafka's null).
  std::optional<std::string_view> default_text;
  // Numbers: the inclusive range. Strings and lists: `allowed` names what may stand there, empty: anything.
  double min = std::numeric_limits<double>::lowest();
  double max = std::numeric_limits<double>::max();
  std::vector<std::string_view> allowed = {};
  bool any_case = false;  // strings: one of `allowed` whatever the case of its letters; stored as it stands there
  std::string_view doc;
  // Stores a value that has the type and is in range; an error says what is allowed instead.
  Result<void> (*set)(ServerConfig&, const Value&);
};

// All keys. Of several keys for one value (log.retention.hours, .minutes, .ms) the later row wins, as in Kafka.
std::span<const Key> keys();
const Key* find_key(std::string_view name);

// True for a key that Apache Kafka's broker knows and that has no meaning here (KRaft, replication, SASL and so on).
bool is_ignored_kafka_key(std::string_view name);

// Text to a value of the key's type, checked against its range. The error says what is allowed.
Result<Value> parse_value(const Key& key, std::string_view text);

// "at least 1", "one of sync, os", …; empty when anything goes.
std::string describe_allowed(const Key& key);

// The parts of the table, one per file; joined by keys().
std::vector<Key> net_keys();
std::vector<Key> log_keys();
std::vector<Key> group_keys();

}  // namespace cohort::config
