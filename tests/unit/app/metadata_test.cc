// Metadata: which topics a request means in which version, and which it makes.
#include <catch2/catch.hpp>
#include <optional>

#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::MetadataRequest;
using protocol::MetadataResponse;

constexpr std::int16_t kLatest = 13;
constexpr std::int32_t kNotAsked = std::numeric_limits<std::int32_t>::min();

MetadataRequest by_name(std::vector<std::string> names, bool create = false) {
  MetadataRequest request;
  request.allow_auto_topic_creation = create;
  for (const std::string& name : names) request.topics->emplace_back().name = Text(name);
  return request;
}

MetadataRequest by_id(const std::vector<protocol::Uuid>& ids) {
  MetadataRequest request;
  for (const auto& id : ids) {
    auto& topic = request.topics->emplace_back();
    topic.topic_id = id;
    topic.name.reset();
  }
  return request;
}

// The names in the answer, "?" for none, with an error code if there is one.
std::vector<std::string> names_of(const MetadataResponse& response) {
  std::vector<std::string> names;
  for (const auto& topic : response.topics) {
    std::string name = topic.name ? topic.name->str() : "?";
    if (topic.error_code != 0) name += fmt::format(" {}", static_cast<ErrorCode>(topic.error_code));
    names.push_back(name);
  }
  return names;
}

TEST_CASE("Metadata: no topics and all topics, in every version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "b", 2);
  create_topic(client, "a");
  const std::vector<std::string> all{"__consumer_offsets", "a", "b"};
  for (std::int16_t version = 0; version <= kLatest; ++version) {
    INFO(version);
    // Version 0 has no null and means all by none.
    MetadataRequest none = by_name({}, version < 4);
    CHECK(names_of(client.ask<MetadataResponse>(none, version)) == (version == 0 ? all : std::vector<std::string>{}));
    if (version == 0) continue;
    none.topics.reset();
    CHECK(names_of(client.ask<MetadataResponse>(none, version)) == all);
  }
}

TEST_CASE("Metadata: one node is the leader of everything") {
  storage::MemFs fs;
  Machine machine(fs, {"node.id=7", "broker.rack=here"});
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t", 2);
  for (std::int16_t version = 0; version <= kLatest; ++version) {
    INFO(version);
    const auto response = client.ask<MetadataResponse>(by_name({"t"}, version < 4), version);
    REQUIRE(response.brokers.size() == 1);
    CHECK(response.brokers[0].node_id == 7);
    CHECK(response.brokers[0].host == "127.0.0.1");
    CHECK(response.brokers[0].port == machine.port());
    CHECK(response.brokers[0].rack == (version < 1 ? std::nullopt : std::optional(Text("here"))));
    CHECK(response.cluster_id.has_value() == (version >= 2));
    CHECK(response.controller_id == (version < 1 ? -1 : 7));
    REQUIRE(response.topics.size() == 1);
    CHECK(response.topics[0].topic_id == (version < 10 ? protocol::Uuid{} : id));
    REQUIRE(response.topics[0].partitions.size() == 2);
    for (std::int32_t index = 0; index < 2; ++index) {
      const auto& partition = response.topics[0].partitions[static_cast<std::size_t>(index)];
      CHECK(partition.partition_index == index);
      CHECK(partition.leader_id == 7);
      CHECK(partition.leader_epoch == (version < 7 ? -1 : 0));
      CHECK(partition.replica_nodes == std::vector{7});
      CHECK(partition.isr_nodes == std::vector{7});
      CHECK(partition.offline_replicas.empty());
    }
  }
}

TEST_CASE("Metadata: topics that do not exist") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  CHECK(names_of(client.ask<MetadataResponse>(by_name({"u", "t", "t", "a b", ""}), kLatest)) ==
        std::vector<std::string>{" INVALID_TOPIC_EXCEPTION", "a b INVALID_TOPIC_EXCEPTION", "t",
                                 "u UNKNOWN_TOPIC_OR_PARTITION"});
}

TEST_CASE("Metadata: topics by id") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  const protocol::Uuid unknown(1, 2);
  const auto response = client.ask<MetadataResponse>(by_id({unknown, id, unknown}), kLatest);
  CHECK(names_of(response) == std::vector<std::string>{"? UNKNOWN_TOPIC_ID", "t"});
  CHECK(response.topics[0].topic_id == unknown);
  CHECK(response.topics[1].topic_id == id);
  // An id makes names count for nothing.
  MetadataRequest mixed = by_id({id});
  mixed.topics->emplace_back().name = Text("new");
  CHECK(names_of(client.ask<MetadataResponse>(mixed, kLatest)) == std::vector<std::string>{"t"});
  // Versions 10 and 11 have the field and may not use it.
  for (std::int16_t version : {10, 11}) {
    CHECK(names_of(client.ask<MetadataResponse>(by_id({id}), version)) == std::vector<std::string>{" INVALID_REQUEST"});
  }
}

TEST_CASE("Metadata makes topics when the client and the server want it") {
  storage::MemFs fs;
  Machine machine(fs, {"num.partitions=3"});
  Client client(machine);
  CHECK(names_of(client.ask<MetadataResponse>(by_name({"a"}, false), 4)) ==
        std::vector<std::string>{"a UNKNOWN_TOPIC_OR_PARTITION"});
  const auto made = client.ask<MetadataResponse>(by_name({"a", "no/slash"}, true), 4);
  CHECK(names_of(made) == std::vector<std::string>{"a", "no/slash INVALID_TOPIC_EXCEPTION"});
  CHECK(made.topics[0].partitions.size() == 3);
  // Before version 4 nobody could say no.
  CHECK(names_of(client.ask<MetadataResponse>(by_name({"b"}, true), 3)) == std::vector<std::string>{"b"});
}

TEST_CASE("Metadata makes no topics when the server does not want it") {
  storage::MemFs fs;
  Machine machine(fs, {"auto.create.topics.enable=false"});
  Client client(machine);
  for (std::int16_t version : {0, 4, 13}) {
    CHECK(names_of(client.ask<MetadataResponse>(by_name({"a"}, true), version)) ==
          std::vector<std::string>{"a UNKNOWN_TOPIC_OR_PARTITION"});
  }
}

TEST_CASE("Metadata: authorized operations are told to those who ask, of the cluster in versions 8 to 10") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  for (std::int16_t version = 8; version <= kLatest; ++version) {
    INFO(version);
    MetadataRequest request = by_name({"t"});
    const auto silent = client.ask<MetadataResponse>(request, version);
    CHECK(silent.topics.at(0).topic_authorized_operations == kNotAsked);
    CHECK(silent.cluster_authorized_operations == kNotAsked);
    request.include_topic_authorized_operations = true;
    request.include_cluster_authorized_operations = version <= 10;
    const auto told = client.ask<MetadataResponse>(request, version);
    CHECK(told.topics.at(0).topic_authorized_operations == 0b1101'1111'1000);
    CHECK(told.cluster_authorized_operations == (version <= 10 ? 0b1'1111'1010'0000 : kNotAsked));
  }
}

}  // namespace
}  // namespace cohort::app
