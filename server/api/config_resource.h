// Types of what has a configuration (Kafka's ConfigResource.Type).
#pragma once

#include <cstdint>

namespace cohort::api {

enum class ConfigResourceType : std::int8_t {
  kTopic = 2,
  kBroker = 4,
  kBrokerLogger = 8,
  kClientMetrics = 16,
  kGroup = 32,
};

}  // namespace cohort::api
