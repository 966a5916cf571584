// What a group sets for itself, from the API that sets it to the coordinator that follows it, over a restart too.
#include <catch2/catch.hpp>
#include <map>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "protocol/messages/list_config_resources_request.h"
#include "protocol/messages/list_config_resources_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

constexpr std::int8_t kGroup = 32;
constexpr std::int8_t kSet = 0;
constexpr std::int8_t kDelete = 1;
constexpr std::int8_t kAppend = 2;
constexpr std::int8_t kSourceStatic = 4;
constexpr std::int8_t kSourceDefault = 5;
constexpr std::int8_t kSourceGroup = 8;
const std::string kSession = "consumer.session.timeout.ms";
const std::string kHeartbeat = "consumer.heartbeat.interval.ms";

struct GroupSettings {
  Machine machine;
  Client client;

  explicit GroupSettings(storage::MemFs& disk, std::vector<std::string> overrides = {})
      : machine(disk, std::move(overrides)), client(machine) {}

  struct Change {
    std::string name;
    std::optional<std::string> value;
    std::int8_t operation = kSet;
  };
  std::int16_t alter(const std::string& group, const std::vector<Change>& changes, bool validate_only = false) {
    protocol::IncrementalAlterConfigsRequest request;
    request.validate_only = validate_only;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kGroup;
    resource.resource_name = group;
    for (const Change& change : changes) {
      auto& config = resource.configs.emplace_back();
      config.name = change.name;
      config.config_operation = change.operation;
      if (change.value)
        config.value = Text(*change.value);
      else
        config.value.reset();
    }
    const auto response = client.ask<protocol::IncrementalAlterConfigsResponse>(request, 1);
    REQUIRE(response.responses.size() == 1);
    CHECK(response.responses[0].resource_type == kGroup);
    CHECK(response.responses[0].resource_name == group);
    return response.responses[0].error_code;
  }

  protocol::DescribeConfigsResponse::DescribeConfigsResult describe(const std::string& group,
                                                                    std::optional<std::vector<Text>> keys = {}) {
    protocol::DescribeConfigsRequest request;
    request.include_synonyms = true;
    request.include_documentation = true;
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kGroup;
    resource.resource_name = group;
    resource.configuration_keys = std::move(keys);
    const auto response = client.ask<protocol::DescribeConfigsResponse>(request, 4);
    REQUIRE(response.results.size() == 1);
    return response.results[0];
  }

  // The groups among the resources of this type, all types if none is named.
  std::vector<std::string> listed(std::vector<std::int8_t> types) {
    protocol::ListConfigResourcesRequest request;
    request.resource_types = std::move(types);
    std::vector<std::string> groups;
    const auto response = client.ask<protocol::ListConfigResourcesResponse>(request, 1);
    for (const auto& resource : response.config_resources) {
      if (resource.resource_type == kGroup) groups.push_back(resource.resource_name.str());
    }
    return groups;
  }

  protocol::ConsumerGroupHeartbeatResponse join(const std::string& group) {
    protocol::ConsumerGroupHeartbeatRequest request;
    request.group_id = group;
    request.member_id = "AAAAAAAAAAAAAAAAAAAAAA";
    request.rebalance_timeout_ms = 60'000;
    request.subscribed_topic_names = {{Text("t")}};
    request.topic_partitions.emplace();
    return client.ask<protocol::ConsumerGroupHeartbeatResponse>(request, 1);
  }
};

TEST_CASE("a group's heartbeat interval reaches its members, and survives a restart") {
  storage::MemFs fs;
  {
    GroupSettings machine(fs);
    CHECK(machine.alter("g", {{kHeartbeat, "7000"}}) == to_wire(ErrorCode::kNone));
    CHECK(machine.join("g").heartbeat_interval_ms == 7000);
    CHECK(machine.join("other").heartbeat_interval_ms == 5000);
  }
  {
    GroupSettings machine(fs);
    CHECK(machine.join("g").heartbeat_interval_ms == 7000);
    CHECK(machine.alter("g", {{kHeartbeat, std::nullopt, kDelete}}) == to_wire(ErrorCode::kNone));
    CHECK(machine.join("g").heartbeat_interval_ms == 5000);
  }
  GroupSettings machine(fs);
  CHECK(machine.join("g").heartbeat_interval_ms == 5000);
}

TEST_CASE("a stored value outside new bounds of the server is clamped where it is used, and described as it is") {
  storage::MemFs fs;
  {
    GroupSettings machine(fs);
    CHECK(machine.alter("g", {{kHeartbeat, "7000"}}) == to_wire(ErrorCode::kNone));
  }
  GroupSettings machine(fs, {"group.consumer.max.heartbeat.interval.ms=6000"});
  CHECK(machine.join("g").heartbeat_interval_ms == 6000);
  CHECK(machine.describe("g", {{Text(kHeartbeat)}}).configs.at(0).value == Text("7000"));
}

TEST_CASE("what a group cannot set") {
  storage::MemFs fs;
  GroupSettings machine(fs);
  const auto invalid = to_wire(ErrorCode::kInvalidConfig);
  CHECK(machine.alter("g", {{kSession, "44999"}}) == invalid);
  CHECK(machine.alter("g", {{kSession, "60001"}}) == invalid);
  CHECK(machine.alter("g", {{kSession, "soon"}}) == invalid);
  CHECK(machine.alter("g", {{kSession, "50000", kAppend}}) == invalid);
  CHECK(machine.alter("g", {{"share.session.timeout.ms", "50000"}}) == invalid);
  CHECK(machine.alter("g", {{"retention.ms", "50000"}}) == invalid);
  // One bad key spoils the resource.
  CHECK(machine.alter("g", {{kHeartbeat, "7000"}, {kSession, "1"}}) == invalid);
  CHECK(machine.alter("", {{kSession, "50000"}}) == to_wire(ErrorCode::kInvalidRequest));
  CHECK(machine.alter("g", {{kSession, "50000"}, {kSession, "50001"}}) == to_wire(ErrorCode::kInvalidRequest));
  CHECK(machine.alter("g", {{kSession, std::nullopt}}) == to_wire(ErrorCode::kInvalidRequest));
  CHECK(machine.alter("g", {{kHeartbeat, "7000"}}, true) == to_wire(ErrorCode::kNone));
  CHECK(machine.listed({}).empty());
  CHECK(machine.join("g").heartbeat_interval_ms == 5000);
}

TEST_CASE("a group is described with values, where they come from, and what they stand in front of") {
  storage::MemFs fs;
  GroupSettings machine(fs, {"group.consumer.heartbeat.interval.ms=6000"});
  CHECK(machine.alter("g", {{kSession, " +050000 "}}) == to_wire(ErrorCode::kNone));
  const auto all = machine.describe("g");
  CHECK(all.error_code == to_wire(ErrorCode::kNone));
  REQUIRE(all.configs.size() == 4);
  CHECK(all.configs[0].name == "consumer.assignment.interval.ms");
  CHECK(all.configs[0].value == Text("1000"));
  CHECK(all.configs[0].config_source == kSourceDefault);
  const auto& heartbeat = all.configs[1];
  CHECK(heartbeat.name == kHeartbeat);
  CHECK(heartbeat.value == Text("6000"));
  CHECK(heartbeat.config_source == kSourceStatic);
  const auto& session = all.configs[2];
  CHECK(session.name == kSession);
  CHECK(session.value == Text("50000"));
  CHECK(session.config_source == kSourceGroup);
  CHECK(session.config_type == 3);
  CHECK_FALSE(session.read_only);
  CHECK(session.documentation.has_value());
  REQUIRE(session.synonyms.size() == 2);
  CHECK(session.synonyms[0].name == kSession);
  CHECK(session.synonyms[1].name == "group.consumer.session.timeout.ms");
  CHECK(session.synonyms[1].value == Text("45000"));
  CHECK(session.synonyms[1].source == kSourceDefault);
  CHECK(all.configs[3].name == "offsets.retention.minutes");
  CHECK(all.configs[3].value == Text("10080"));  // in minutes, as it would be set

  CHECK(machine.describe("g", std::vector<Text>{}).configs.size() == 4);
  CHECK(machine.describe("g", {{Text(kSession), Text("nothing")}}).configs.size() == 1);
  CHECK(machine.describe("nobody").configs.at(2).value == Text("45000"));
  CHECK(machine.describe("").error_code == to_wire(ErrorCode::kInvalidRequest));
}

TEST_CASE("groups are listed as long as they set something for themselves") {
  storage::MemFs fs;
  GroupSettings machine(fs);
  machine.alter("b", {{kSession, "50000"}});
  machine.alter("a", {{kSession, "50000"}});
  CHECK(machine.listed({}) == std::vector<std::string>{"a", "b"});
  CHECK(machine.listed({kGroup}) == std::vector<std::string>{"a", "b"});
  CHECK(machine.listed({2}).empty());
  machine.alter("a", {{kSession, std::nullopt, kDelete}});
  CHECK(machine.listed({}) == std::vector<std::string>{"b"});
}

}  // namespace
}  // namespace cohort::app
