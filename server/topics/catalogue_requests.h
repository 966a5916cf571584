// What can be asked of the catalogue, and its answers: plain values that own their bytes, one answer per entry of the
// request, in its order. Every rule is Kafka's controller's (ReplicationControlManager, ConfigurationControlManager).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/types/error_code.h"
#include "protocol/types/ids.h"

namespace cohort::topics {

struct ReplicaAssignment {
  std::int32_t partition = 0;
  std::vector<std::int32_t> broker_ids;  // must be exactly this node
};

struct CreateTopic {
  std::string name;
  std::int32_t partitions = -1;                // -1: num.partitions
  std::int16_t replication_factor = -1;        // -1 or 1, there is one node
  std::vector<ReplicaAssignment> assignments;  // if not empty, partitions and replication_factor must be -1
  std::vector<std::pair<std::string, std::optional<std::string>>> configs;
};
struct CreatedTopic {
  std::string name;
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::string message;
  protocol::TopicId id;          // zero when there is an error or only validation was asked for
  std::int32_t partitions = -1;  // -1 when there is an error
  std::int16_t replication_factor = -1;
  std::map<std::string, std::string, std::less<>> configs;  // what the topic overrides: see describe_config
};

// By name or by id, exactly one of them.
struct DeleteTopic {
  std::optional<std::string> name;
  protocol::TopicId id;
};
struct DeletedTopic {
  std::optional<std::string> name;  // filled in when the topic was found by its id
  protocol::TopicId id;             // filled in when the topic was found by its name
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::string message;
};

struct CreatePartitions {
  std::string topic;
  std::int32_t count = 0;                                             // the new total
  std::optional<std::vector<std::vector<std::int32_t>>> assignments;  // brokers of each new partition
};

enum class ConfigOp : std::int8_t { kSet = 0, kDelete = 1, kAppend = 2, kSubtract = 3 };  // IncrementalAlterConfigs

struct ConfigChange {
  std::string name;
  ConfigOp op = ConfigOp::kSet;
  std::optional<std::string> value;  // not used by kDelete
};
enum class ConfiguredThing : std::uint8_t { kTopic, kGroup };
struct AlterConfigs {
  std::string name;  // of the topic or group
  std::vector<ConfigChange> changes;
  ConfiguredThing of = ConfiguredThing::kTopic;
  bool replace = false;  // the changes are all that it has afterwards: Kafka's older AlterConfigs
};

// The answer to CreatePartitions and AlterConfigs.
struct TopicOutcome {
  std::string topic;  // or group
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::string message;
};

}  // namespace cohort::topics
