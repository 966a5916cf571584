// AlterConfigs, the broker's own values, and the levels of the log as the resource BROKER_LOGGER.
#include <catch2/catch.hpp>
#include <map>

#include "protocol/base/log.h"
#include "protocol/messages/alter_configs_request.h"
#include "protocol/messages/alter_configs_response.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::DescribeConfigsResponse;

constexpr std::int8_t kTopic = 2;
constexpr std::int8_t kBroker = 4;
constexpr std::int8_t kLogger = 8;
constexpr std::int8_t kGroup = 32;
constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;
constexpr std::int8_t kAppend = 2;
constexpr std::int8_t kSubtract = 3;
constexpr std::int8_t kSourceTopic = 1;
constexpr std::int8_t kSourceDefault = 5;
constexpr std::int8_t kSourceLogger = 6;

using Configs = std::vector<std::pair<std::string, std::optional<std::string>>>;

struct Outcome {
  std::int16_t error;
  std::string message;
};

Outcome replace(Client& client, std::int8_t type, const std::string& name, const Configs& configs,
                std::int16_t version = 2, bool validate_only = false) {
  protocol::AlterConfigsRequest request;
  request.validate_only = validate_only;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = name;
  for (const auto& [key, value] : configs) {
    auto& config = resource.configs.emplace_back();
    config.name = key;
    config.value = value ? std::optional(Text(*value)) : std::nullopt;
  }
  const auto response = client.ask<protocol::AlterConfigsResponse>(request, version);
  REQUIRE(response.responses.size() == 1);
  CHECK(response.responses[0].resource_name == name);
  const auto& answer = response.responses[0];
  return {answer.error_code, answer.error_message ? answer.error_message->str() : ""};
}

Outcome change(Client& client, const std::string& node, const std::string& logger, const std::string& level,
               std::int8_t operation = kSet, bool validate_only = false) {
  protocol::IncrementalAlterConfigsRequest request;
  request.validate_only = validate_only;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = kLogger;
  resource.resource_name = node;
  auto& config = resource.configs.emplace_back();
  config.name = logger;
  config.value = Text(level);
  config.config_operation = operation;
  const auto response = client.ask<protocol::IncrementalAlterConfigsResponse>(request, 1);
  REQUIRE(response.responses.size() == 1);
  const auto& answer = response.responses[0];
  return {answer.error_code, answer.error_message ? answer.error_message->str() : ""};
}

DescribeConfigsResponse::DescribeConfigsResult describe(Client& client, std::int8_t type, const std::string& name) {
  protocol::DescribeConfigsRequest request;
  auto& resource = request.resources.emplace_back();
  resource.resource_type = type;
  resource.resource_name = name;
  resource.configuration_keys.reset();
  const auto response = client.ask<DescribeConfigsResponse>(request, 4);
  REQUIRE(response.results.size() == 1);
  return response.results[0];
}

// Value and source of one of them.
std::pair<std::string, std::int8_t> value_of(const DescribeConfigsResponse::DescribeConfigsResult& result,
                                             std::string_view name) {
  for (const auto& config : result.configs) {
    if (config.name == name) return {config.value->str(), config.config_source};
  }
  return {"missing", 0};
}

// Levels are the process's: put back what the other tests began with.
struct Levels {
  ~Levels() {
    log::set_level(root);
    for (const std::string_view component : log::components()) log::set_level(component, std::nullopt);
  }
  log::Level root = log::root_level();
};

TEST_CASE("AlterConfigs replaces all that a topic sets, in every version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 1, {{"retention.ms", "5000"}, {"max.message.bytes", "9000"}});
  for (std::int16_t version = 0; version <= 2; ++version) {
    INFO(version);
    const std::string bytes = std::to_string(8000 + version);
    CHECK(replace(client, kTopic, "t", {{"max.message.bytes", bytes}}, version).error == 0);
    const auto described = describe(client, kTopic, "t");
    CHECK(value_of(described, "max.message.bytes") == std::pair(bytes, kSourceTopic));
    CHECK(value_of(described, "retention.ms") == std::pair(std::string("604800000"), kSourceDefault));
  }
  CHECK(replace(client, kTopic, "t", {}, 2, true).error == 0);
  CHECK(value_of(describe(client, kTopic, "t"), "max.message.bytes").first == "8002");
  CHECK(replace(client, kTopic, "t", {}).error == 0);
  CHECK(value_of(describe(client, kTopic, "t"), "max.message.bytes").second == kSourceDefault);
}

TEST_CASE("AlterConfigs of a group, and what it refuses") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 1, {{"retention.ms", "5000"}});
  CHECK(replace(client, kGroup, "g", {{"consumer.session.timeout.ms", "50000"}}).error == 0);
  CHECK(replace(client, kGroup, "g", {{"consumer.heartbeat.interval.ms", "6000"}}).error == 0);
  CHECK(value_of(describe(client, kGroup, "g"), "consumer.session.timeout.ms").first == "45000");
  CHECK(value_of(describe(client, kGroup, "g"), "consumer.heartbeat.interval.ms").first == "6000");

  CHECK(replace(client, kTopic, "t", {{"retention.ms", "no number"}}).error == to_wire(ErrorCode::kInvalidConfig));
  CHECK(replace(client, kTopic, "t", {{"nonsense", "1"}}).error == to_wire(ErrorCode::kInvalidConfig));
  const Outcome null = replace(client, kTopic, "t", {{"retention.ms", std::nullopt}});
  CHECK(null.error == to_wire(ErrorCode::kInvalidRequest));
  CHECK(null.message == "Null value not supported for : retention.ms");
  CHECK(replace(client, kTopic, "t", {{"retention.ms", "1"}, {"retention.ms", "2"}}).message ==
        "Error due to duplicate config keys");
  CHECK(replace(client, kTopic, "none", {}).error == to_wire(ErrorCode::kUnknownTopicOrPartition));
  CHECK(replace(client, kBroker, "1", {}).error == to_wire(ErrorCode::kInvalidRequest));
  CHECK(replace(client, kLogger, "1", {{"root", "INFO"}}).message == "Unknown resource type 8");
  CHECK(value_of(describe(client, kTopic, "t"), "retention.ms").first == "5000");
}

TEST_CASE("DescribeConfigs of the broker shows what is in use, also of what nobody has set") {
  storage::MemFs fs;
  {
    const Machine made_with_two(fs, {"node.id=7"});
  }
  Machine machine(fs, {"node.id=7", "offsets.topic.num.partitions=5"});
  Client client(machine);
  const auto result = describe(client, kBroker, "7");
  CHECK(value_of(result, "broker.id").first == "7");
  CHECK(value_of(result, "node.id").first == "7");
  CHECK(value_of(result, "offsets.topic.num.partitions").first == "2");
}

TEST_CASE("BROKER_LOGGER: levels change while the server runs and are described") {
  const Levels restore;
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  log::set_level(log::Level::kWarn);
  CHECK(change(client, "1", "Connection", "DEBUG").error == 0);
  CHECK(log::enabled(log::Level::kDebug, "Connection"));
  auto described = describe(client, kLogger, "1");
  CHECK(described.configs.size() == log::components().size() + 1);
  CHECK(value_of(described, "Connection") == std::pair(std::string("DEBUG"), kSourceLogger));
  CHECK(value_of(described, "root") == std::pair(std::string("WARN"), kSourceLogger));
  CHECK(value_of(described, "Partition").first == "WARN");
  CHECK_FALSE(described.configs[0].read_only);

  CHECK(change(client, "1", "root", "ERROR").error == 0);
  CHECK(change(client, "1", "Connection", "FATAL", kSet, true).error == 0);
  described = describe(client, kLogger, "1");
  CHECK(value_of(described, "Partition").first == "ERROR");
  CHECK(value_of(described, "Connection").first == "DEBUG");
  CHECK(change(client, "1", "Connection", "", kDelete).error == 0);
  CHECK(value_of(describe(client, kLogger, "1"), "Connection").first == "ERROR");
}

TEST_CASE("BROKER_LOGGER: Kafka's refusals") {
  const Levels restore;
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const auto refused = [](const Outcome& outcome, ErrorCode error, std::string_view message) {
    CHECK(outcome.error == to_wire(error));
    CHECK(outcome.message == message);
  };
  refused(change(client, "1", "Nobody", "INFO"), ErrorCode::kInvalidConfig, "Logger Nobody does not exist!");
  refused(change(client, "1", "Nobody", "", kDelete), ErrorCode::kInvalidConfig, "Logger Nobody does not exist!");
  for (const char* level : {"info", "OFF", "ALL", ""}) {
    refused(
        change(client, "1", "Log", level), ErrorCode::kInvalidConfig,
        fmt::format("Cannot set the log level of Log to {} as it is not a supported log level. Valid log levels are "
                    "DEBUG, ERROR, FATAL, INFO, TRACE, WARN",
                    level));
  }
  refused(change(client, "1", "root", "", kDelete), ErrorCode::kInvalidRequest,
          "Removing the log level of the root logger is not allowed");
  refused(change(client, "1", "Log", "INFO", kAppend), ErrorCode::kInvalidRequest,
          "APPEND operation is not allowed for the BROKER_LOGGER resource");
  refused(change(client, "1", "Log", "INFO", kSubtract), ErrorCode::kInvalidRequest,
          "SUBTRACT operation is not allowed for the BROKER_LOGGER resource");
  refused(change(client, "2", "Log", "INFO"), ErrorCode::kInvalidRequest,
          "Unexpected node id. Expected 1, but received 2");
  refused(change(client, "", "Log", "INFO"), ErrorCode::kInvalidRequest, "Node id must be an integer, but it is: ");
  CHECK(describe(client, kLogger, "").error_message->str() == "Broker id must not be empty");
  CHECK(describe(client, kLogger, "x").error_message->str() == "Broker id must be an integer, but it is: x");
  CHECK(describe(client, kLogger, "3").error_message->str() == "Unexpected broker id, expected 1 but received 3");
}

}  // namespace
}  // namespace cohort::app
