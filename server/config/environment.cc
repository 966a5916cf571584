#include "server/config/environment.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cohort::config {
namespace {

constexpr std::string_view kPrefix = "KAFKA_";

// Variables that mean a key of another name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kRenamed = {{
    {"CLUSTER_ID", "cohort.cluster.id"},
    {"KAFKA_LOG4J_ROOT_LOGLEVEL", "cohort.log.level"},
    {"KAFKA_LOG4J_LOGGERS", "cohort.log.levels"},
}};

// For the JVM, for the scripts of Kafka's and Confluent's images, for their tools.
constexpr std::string_view kNoKeys[] = {"KAFKA_VERSION",     "KAFKA_HEAP_OPTS",
                                        "KAFKA_OPTS",        "KAFKA_JVM_PERFORMANCE_OPTS",
                                        "KAFKA_GC_LOG_OPTS", "KAFKA_TOOLS_LOG4J_LOGLEVEL",
                                        "KAFKA_DEBUG",       "KAFKA_HOME"};
constexpr std::string_view kNoKeyPrefixes[] = {"KAFKA_JMX_", "KAFKA_LOG4J_", "KAFKA_DEBUG_"};

bool is_no_key(std::string_view name) {
  return std::ranges::find(kNoKeys, name) != std::ranges::end(kNoKeys) ||
         std::ranges::any_of(kNoKeyPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// From the left, like Java's String.replace, which three replacements in a row are: ____ is -. then.
std::string key_of(std::string_view name) {
  std::string key;
  for (std::size_t i = 0; i < name.size();) {
    const std::string_view rest = name.substr(i);
    if (rest.starts_with("___")) {
      key += '-';
      i += 3;
    } else if (rest.starts_with("__")) {
      key += '_';
      i += 2;
    } else {
      const char c = name[i++];
      key += c == '_' ? '.' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return key;
}

}  // namespace

std::optional<VariableSetting> setting_of_variable(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  const std::string_view name = entry.substr(0, equals);
  const std::string_view value = entry.substr(equals + 1);
  for (const auto& [variable, key] : kRenamed) {
    // Empty is "not set" for these three, as in the image's scripts.
    if (name == variable) {
      return value.empty() ? std::nullopt
                           : std::optional(VariableSetting{std::string(name), std::string(key), std::string(value)});
    }
  }
  if (!name.starts_with(kPrefix) || name == kPrefix || is_no_key(name)) return std::nullopt;
  return VariableSetting{std::string(name), key_of(name.substr(kPrefix.size())), std::string(value)};
}

}  // namespace cohort::config
