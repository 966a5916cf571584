// Setters of the key table: a value into the field of ServerConfig that a path of member pointers names.
// Only for the files that hold the table.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "server/config/key.h"
#include "server/config/server_config.h"

namespace cohort::config {

inline constexpr double kIntMax = std::numeric_limits<std::int32_t>::max();

inline void assign(bool& field, const Value& value) {
  field = std::get<bool>(value);
}
inline void assign(std::int32_t& field, const Value& value) {
  field = static_cast<std::int32_t>(std::get<std::int64_t>(value));
}
inline void assign(std::int64_t& field, const Value& value) {
  field = std::get<std::int64_t>(value);
}
inline void assign(double& field, const Value& value) {
  field = std::get<double>(value);
}
inline void assign(std::string& field, const Value& value) {
  field = std::get<std::string>(value);
}
inline void assign(Durability& field, const Value& value) {
  field = std::get<std::string>(value) == "sync" ? Durability::kSync : Durability::kOs;
}
inline void assign(MigrationPolicy& field, const Value& value) {
  const std::string& name = std::get<std::string>(value);
  field = name == "disabled"    ? MigrationPolicy::kDisabled
          : name == "upgrade"   ? MigrationPolicy::kUpgrade
          : name == "downgrade" ? MigrationPolicy::kDowngrade
                                : MigrationPolicy::kBidirectional;
}
inline void assign(std::vector<std::string>& field, const Value& value) {
  field = std::get<std::vector<std::string>>(value);
}
inline void assign(Duration& field, const Value& value) {
  field = Duration{std::get<std::int64_t>(value)};
}

template <auto... Path>
Result<void> store(ServerConfig& config, const Value& value) {
  assign((config.*....*Path), value);
  return {};
}

// For keys in a larger unit than the field's milliseconds. A negative value stays -1 (no limit), as in Kafka.
template <std::int64_t MsPerUnit, auto... Path>
Result<void> store_ms(ServerConfig& config, const Value& value) {
  const std::int64_t count = std::get<std::int64_t>(value);
  assign((config.*....*Path), Value{count < 0 ? -1 : count * MsPerUnit});
  return {};
}

}  // namespace cohort::config
