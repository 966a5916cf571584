// Variables of the environment as configuration, by the rules of Kafka's official image (KafkaDockerWrapper), so that a
// compose file written for it works here. Pure: whoever calls has read the environment.
//
//   KAFKA_LOG_RETENTION_MS    → log.retention.ms   (prefix gone, lower case, _ is .)
//   KAFKA_A__B, KAFKA_A___B   → a_b, a-b           (__ is _, ___ is -)
//   KAFKA_HEAP_OPTS and others that steer the JVM or the tools of the image: no key
//   KAFKA_LOG4J_ROOT_LOGLEVEL, KAFKA_LOG4J_LOGGERS, CLUSTER_ID: keys of cohort's own, see environment.cc
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohort::config {

struct VariableSetting {
  std::string variable;
  std::string key;
  std::string value;
};

// entry: "NAME=value", as in environ. Nothing when the variable is no setting.
std::optional<VariableSetting> setting_of_variable(std::string_view entry);

}  // namespace cohort::config
