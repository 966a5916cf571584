// What user interfaces ask at their start and of which there is nothing here: quotas, credentials, ACLs, partitions
// that move. And the quorum, which is this node alone.
#include <catch2/catch.hpp>

#include "protocol/messages/describe_acls_request.h"
#include "protocol/messages/describe_acls_response.h"
#include "protocol/messages/describe_client_quotas_request.h"
#include "protocol/messages/describe_client_quotas_response.h"
#include "protocol/messages/describe_quorum_request.h"
#include "protocol/messages/describe_quorum_response.h"
#include "protocol/messages/describe_user_scram_credentials_request.h"
#include "protocol/messages/describe_user_scram_credentials_response.h"
#include "protocol/messages/list_partition_reassignments_request.h"
#include "protocol/messages/list_partition_reassignments_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::DescribeClientQuotasRequest;
using protocol::DescribeClientQuotasResponse;

TEST_CASE("DescribeAcls says that there is no authorizer") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const auto response = client.ask<protocol::DescribeAclsResponse>(protocol::DescribeAclsRequest{}, 3);
  CHECK(response.error_code == to_wire(ErrorCode::kSecurityDisabled));
  CHECK(response.resources.empty());
}

TEST_CASE("ListPartitionReassignments: nothing moves") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const auto response =
      client.ask<protocol::ListPartitionReassignmentsResponse>(protocol::ListPartitionReassignmentsRequest{}, 0);
  CHECK(response.error_code == to_wire(ErrorCode::kNone));
  CHECK(response.topics.empty());
}

struct Component {
  std::string type;
  std::int8_t match_type;
  std::optional<Text> match;
};

TEST_CASE("DescribeClientQuotas: an empty list, or why the filter makes no sense") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const auto error_of = [&](const std::vector<Component>& components) {
    DescribeClientQuotasRequest request;
    for (const Component& component : components) {
      auto& made = request.components.emplace_back();
      made.entity_type = Text(component.type);
      made.match_type = component.match_type;
      made.match = component.match;
    }
    const auto response = client.ask<DescribeClientQuotasResponse>(request, 1);
    const auto error = protocol::ErrorCode{response.error_code};
    CHECK(response.entries.has_value() == (error == ErrorCode::kNone));
    CHECK(response.error_message.has_value() == (error != ErrorCode::kNone));
    return error;
  };
  constexpr std::int8_t kExact = 0;
  constexpr std::int8_t kDefault = 1;
  constexpr std::int8_t kSpecified = 2;
  CHECK(error_of({}) == ErrorCode::kNone);
  CHECK(error_of({{"user", kExact, Text("a")}, {"client-id", kDefault, {}}}) == ErrorCode::kNone);
  CHECK(error_of({{"ip", kSpecified, {}}}) == ErrorCode::kNone);
  CHECK(error_of({{"", kExact, Text("a")}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"user", kExact, {}}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"user", kDefault, Text("a")}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"user", kSpecified, Text("a")}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"user", 3, {}}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"user", kDefault, {}}, {"user", kDefault, {}}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"user", kDefault, {}}, {"ip", kDefault, {}}}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{"planet", kDefault, {}}}) == ErrorCode::kUnsupportedVersion);
}

TEST_CASE("DescribeUserScramCredentials: nobody has any") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  protocol::DescribeUserScramCredentialsRequest request;
  request.users.reset();
  CHECK(client.ask<protocol::DescribeUserScramCredentialsResponse>(request, 0).results.empty());
  request.users.emplace();
  for (const char* name : {"b", "a", "b"}) request.users->emplace_back().name = Text(name);
  const auto response = client.ask<protocol::DescribeUserScramCredentialsResponse>(request, 0);
  CHECK(response.error_code == to_wire(ErrorCode::kNone));
  REQUIRE(response.results.size() == 2);
  CHECK(response.results[0].user == "a");
  CHECK(response.results[0].error_code == to_wire(ErrorCode::kResourceNotFound));
  CHECK(response.results[1].user == "b");
  CHECK(response.results[1].error_code == to_wire(ErrorCode::kDuplicateResource));
}

TEST_CASE("DescribeQuorum: this node leads the metadata") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const auto describe = [&](const std::string& topic, std::vector<std::int32_t> partitions) {
    protocol::DescribeQuorumRequest request;
    auto& asked = request.topics.emplace_back();
    asked.topic_name = topic;
    for (const std::int32_t index : partitions) asked.partitions.emplace_back().partition_index = index;
    return client.ask<protocol::DescribeQuorumResponse>(request, 2);
  };
  const auto before = describe("__cluster_metadata", {0}).topics.at(0).partitions.at(0);
  CHECK(before.error_code == to_wire(ErrorCode::kNone));
  CHECK(before.leader_id == 1);
  CHECK(before.leader_epoch == 1);
  create_topic(client, "t", 1);
  const auto response = describe("__cluster_metadata", {0});
  const auto& after = response.topics.at(0).partitions.at(0);
  CHECK(after.high_watermark > before.high_watermark);
  REQUIRE(after.current_voters.size() == 1);
  CHECK(after.current_voters[0].replica_id == 1);
  CHECK(after.current_voters[0].log_end_offset == after.high_watermark);
  CHECK(after.observers.empty());
  REQUIRE(response.nodes.size() == 1);
  CHECK(response.nodes[0].listeners.at(0).name == "PLAINTEXT");
  CHECK(response.nodes[0].listeners.at(0).port == machine.port());

  const auto unknown = to_wire(ErrorCode::kUnknownTopicOrPartition);
  CHECK(describe("__cluster_metadata", {1}).topics.at(0).partitions.at(0).error_code == unknown);
  CHECK(describe("t", {0}).topics.at(0).partitions.at(0).error_code == unknown);
  CHECK(describe("__cluster_metadata", {0, 0}).error_code == to_wire(ErrorCode::kInvalidRequest));
}

}  // namespace
}  // namespace cohort::app
