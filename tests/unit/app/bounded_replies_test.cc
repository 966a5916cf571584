// A small request does not make a large answer: what is asked for again is answered once, and what need not exist to be
// described has a limit.
#include <catch2/catch.hpp>

#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::DescribeConfigsRequest;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;

void commit(Client& client, const std::string& group, const std::string& topic, std::int32_t partitions) {
  protocol::OffsetCommitRequest request;
  request.group_id = group;
  auto& committed = request.topics.emplace_back();
  committed.name = topic;
  for (std::int32_t index = 0; index < partitions; ++index) {
    auto& partition = committed.partitions.emplace_back();
    partition.partition_index = index;
    partition.committed_offset = 5;
    partition.committed_metadata = Text(std::string(4000, 'm'));
  }
  client.ask<protocol::OffsetCommitResponse>(request, 9);
}

OffsetFetchRequest::OffsetFetchRequestGroup all_of(const std::string& group) {
  OffsetFetchRequest::OffsetFetchRequestGroup out;
  out.group_id = group;
  out.topics.reset();
  return out;
}

OffsetFetchRequest::OffsetFetchRequestGroup some_of(const std::string& group, const std::string& topic,
                                                    std::vector<std::int32_t> partitions) {
  OffsetFetchRequest::OffsetFetchRequestGroup out;
  out.group_id = group;
  auto& wanted = out.topics->emplace_back();
  wanted.name = topic;
  wanted.partition_indexes = std::move(partitions);
  return out;
}

// "group topic partition" of all that was answered.
std::vector<std::string> answered(const OffsetFetchResponse& response) {
  std::vector<std::string> out;
  for (const auto& group : response.groups) {
    for (const auto& topic : group.topics) {
      for (const auto& partition : topic.partitions) {
        CHECK(partition.error_code == to_wire(ErrorCode::kNone));
        out.push_back(fmt::format("{} {} {}", group.group_id, topic.name, partition.partition_index));
      }
    }
  }
  return out;
}

TEST_CASE("OffsetFetch answers an offset once, however often it is asked for") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 3);
  create_topic(client, "u", 3);
  commit(client, "g", "t", 3);
  OffsetFetchRequest request;
  request.groups = {some_of("g", "t", {1, 0, 1}), some_of("g", "t", {0, 2}), some_of("g", "t", {2, 2}),
                    some_of("h", "t", {0}), some_of("g", "u", {0})};
  request.groups[0].topics->push_back(request.groups[0].topics->front());
  CHECK(answered(client.ask<OffsetFetchResponse>(request, 9)) ==
        std::vector<std::string>{"g t 1", "g t 0", "g t 2", "h t 0", "g u 0"});
  // Before version 8 there is one group.
  OffsetFetchRequest old;
  old.group_id = "g";
  for (int i = 0; i < 2; ++i) {
    auto& topic = old.topics->emplace_back();
    topic.name = "t";
    topic.partition_indexes = {0, 0, 1};
  }
  const auto response = client.ask<OffsetFetchResponse>(old, 7);
  REQUIRE(response.topics.size() == 1);
  CHECK(response.topics[0].partitions.size() == 2);
}

TEST_CASE("OffsetFetch answers a group once, however often it is asked for all of it") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 100);
  commit(client, "g", "t", 100);
  OffsetFetchRequest request;
  request.groups.assign(1000, all_of("g"));
  request.groups.push_back(all_of("h"));
  const auto response = client.ask<OffsetFetchResponse>(request, 9);
  REQUIRE(response.groups.size() == 2);
  CHECK(answered(response).size() == 100);
}

TEST_CASE("FindCoordinator answers a key once") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  protocol::FindCoordinatorRequest request;
  request.coordinator_keys.assign(1000, Text(""));
  request.coordinator_keys.insert(request.coordinator_keys.begin() + 1, Text("g"));
  const auto response = client.ask<protocol::FindCoordinatorResponse>(request, 6);
  REQUIRE(response.coordinators.size() == 2);
  CHECK(response.coordinators[0].key == "");
  CHECK(response.coordinators[1].key == "g");
}

TEST_CASE("DescribeConfigs describes groups that nobody has heard of, but not without end") {
  constexpr std::int8_t kGroup = 32;
  constexpr std::size_t kLimit = 100'000;  // settings
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  DescribeConfigsRequest request;
  request.include_synonyms = true;
  for (std::size_t i = 0; i < kLimit / 2; ++i) {
    auto& resource = request.resources.emplace_back();
    resource.resource_type = kGroup;
    resource.resource_name = fmt::format("{}", i);
    resource.configuration_keys.reset();
  }
  const auto response = client.ask<protocol::DescribeConfigsResponse>(request, 4);
  REQUIRE(response.results.size() == request.resources.size());
  std::size_t settings = 0;
  std::size_t refused = 0;
  for (const auto& result : response.results) {
    settings += result.configs.size();
    if (result.error_code == to_wire(ErrorCode::kNone)) continue;
    ++refused;
    CHECK(result.error_code == to_wire(ErrorCode::kInvalidRequest));
    CHECK(result.error_message.has_value());
  }
  CHECK(settings >= kLimit);
  CHECK(settings < kLimit + 10);
  CHECK(refused > 0);
  CHECK(response.results.back().error_code == to_wire(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace cohort::app
