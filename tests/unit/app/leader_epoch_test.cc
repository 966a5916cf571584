// Leader epochs as clients see them, before and after a restart.
#include <catch2/catch.hpp>

#include "protocol/batch/record_batch.h"
#include "protocol/messages/describe_topic_partitions_request.h"
#include "protocol/messages/describe_topic_partitions_response.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/messages/offset_for_leader_epoch_request.h"
#include "protocol/messages/offset_for_leader_epoch_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using protocol::OffsetForLeaderEpochRequest;
using protocol::OffsetForLeaderEpochResponse;

OffsetForLeaderEpochResponse::EpochEndOffset end_of(Client& client, const std::string& topic, std::int32_t partition,
                                                    std::int32_t epoch, std::int32_t current = -1,
                                                    std::int16_t version = 4) {
  OffsetForLeaderEpochRequest request;
  if (version >= 3) request.replica_id = -1;
  auto& wanted = request.topics.emplace_back();
  wanted.topic = topic;
  auto& one = wanted.partitions.emplace_back();
  one.partition = partition;
  one.leader_epoch = epoch;
  one.current_leader_epoch = current;
  const auto response = client.ask<OffsetForLeaderEpochResponse>(request, version);
  REQUIRE(response.topics.at(0).topic == topic);
  const auto answer = response.topics[0].partitions.at(0);
  REQUIRE(answer.partition == partition);
  return answer;
}

TEST_CASE("OffsetForLeaderEpoch: every version, and its errors") {
  storage::MemFs fs;
  for (std::int32_t start = 0; start < 3; ++start) {
    Machine machine(fs);
    Client client(machine);
    if (start == 0) create_topic(client, "t");
    REQUIRE(produce(client, "t", 0, batch_of(3)) == ErrorCode::kNone);
    for (std::int16_t version = 2; version <= 4; ++version) {
      for (std::int32_t epoch = 0; epoch <= start; ++epoch) {
        const auto answer = end_of(client, "t", 0, epoch, start, version);
        CHECK(answer.error_code == to_wire(ErrorCode::kNone));
        CHECK(answer.leader_epoch == epoch);
        CHECK(answer.end_offset == 3 * (epoch + 1));
      }
    }
    CHECK(end_of(client, "t", 0, start + 1).end_offset == -1);
    CHECK(end_of(client, "t", 0, start + 1).leader_epoch == -1);
    CHECK(end_of(client, "t", 0, 0, start + 1).error_code == to_wire(ErrorCode::kUnknownLeaderEpoch));
    if (start > 0) CHECK(end_of(client, "t", 0, 0, start - 1).error_code == to_wire(ErrorCode::kFencedLeaderEpoch));
    CHECK(end_of(client, "t", 1, 0).error_code == to_wire(ErrorCode::kUnknownTopicOrPartition));
    CHECK(end_of(client, "t", -1, 0).error_code == to_wire(ErrorCode::kUnknownTopicOrPartition));
    CHECK(end_of(client, "u", 0, 0).error_code == to_wire(ErrorCode::kUnknownTopicOrPartition));
  }
}

TEST_CASE("Metadata and DescribeTopicPartitions say the epoch of each topic") {
  storage::MemFs fs;
  for (std::int32_t start = 0; start < 2; ++start) {
    Machine machine(fs);
    Client client(machine);
    create_topic(client, "t" + std::to_string(start));
    protocol::MetadataRequest request;
    request.topics = std::nullopt;
    const auto metadata = client.ask<protocol::MetadataResponse>(request, 13);
    protocol::DescribeTopicPartitionsRequest describe;
    describe.response_partition_limit = 100;
    const auto described = client.ask<protocol::DescribeTopicPartitionsResponse>(describe, 0);
    const auto check = [&](const auto& topics) {
      std::size_t seen = 0;
      for (const auto& topic : topics) {
        for (const auto& partition : topic.partitions) {
          CHECK(partition.leader_epoch == (*topic.name == "t1" ? 0 : start));
          ++seen;
        }
      }
      CHECK(seen == 3 + static_cast<std::size_t>(start));
    };
    check(metadata.topics);
    check(described.topics);
  }
}

FetchRequest fetch_of(const protocol::Uuid& id, std::int64_t offset) {
  FetchRequest request;
  request.max_bytes = 1 << 20;
  auto& wanted = request.topics.emplace_back();
  wanted.topic_id = id;
  auto& one = wanted.partitions.emplace_back();
  one.fetch_offset = offset;
  one.partition_max_bytes = 1 << 20;
  return request;
}

TEST_CASE("Fetch: who is fenced learns who leads, and who has read too far where to go back to") {
  storage::MemFs fs;
  protocol::Uuid id;
  {
    Machine machine(fs);
    Client client(machine);
    id = create_topic(client, "t");
    REQUIRE(produce(client, "t", 0, batch_of(3)) == ErrorCode::kNone);
  }
  Machine machine(fs);
  Client client(machine);
  FetchRequest request = fetch_of(id, 0);
  auto& asked = request.topics[0].partitions[0];
  asked.current_leader_epoch = 0;
  auto response = client.ask<FetchResponse>(request, 16);
  const auto& fenced = response.responses.at(0).partitions.at(0);
  CHECK(fenced.error_code == to_wire(ErrorCode::kFencedLeaderEpoch));
  CHECK(fenced.current_leader.leader_id == 1);
  CHECK(fenced.current_leader.leader_epoch == 1);
  REQUIRE(response.node_endpoints.size() == 1);
  CHECK(response.node_endpoints[0].node_id == 1);
  CHECK(response.node_endpoints[0].port > 0);
  response = client.ask<FetchResponse>(request, 15);
  CHECK(response.responses.at(0).partitions.at(0).current_leader.leader_id == -1);

  asked.current_leader_epoch = 2;
  response = client.ask<FetchResponse>(request, 18);
  CHECK(response.responses.at(0).partitions.at(0).error_code == to_wire(ErrorCode::kUnknownLeaderEpoch));

  asked.current_leader_epoch = -2;  // any negative one is none
  asked.last_fetched_epoch = 0;
  asked.fetch_offset = 5;
  response = client.ask<FetchResponse>(request, 18);
  const auto& diverging = response.responses.at(0).partitions.at(0);
  CHECK(diverging.error_code == to_wire(ErrorCode::kNone));
  CHECK(diverging.diverging_epoch.epoch == 0);
  CHECK(diverging.diverging_epoch.end_offset == 3);
  CHECK(response.node_endpoints.empty());
}

TEST_CASE("what the coordinator stores carries the epoch of its partition, and offsets those of their topics") {
  storage::MemFs fs;
  for (std::int32_t start = 0; start < 2; ++start) {
    Machine machine(fs);
    Client client(machine);
    if (start == 0) create_topic(client, "t");
    protocol::OffsetCommitRequest commit;
    commit.group_id = "g";
    auto& topic = commit.topics.emplace_back();
    topic.name = Text("t");
    auto& partition = topic.partitions.emplace_back();
    partition.committed_offset = 7;
    partition.committed_leader_epoch = 5 + start;
    partition.committed_metadata = Text("");
    const auto committed = client.ask<protocol::OffsetCommitResponse>(commit, 9);
    REQUIRE(committed.topics.at(0).partitions.at(0).error_code == to_wire(ErrorCode::kNone));
    protocol::OffsetFetchRequest fetch;
    fetch.groups.emplace_back().group_id = "g";
    fetch.groups[0].topics = std::nullopt;
    const auto fetched = client.ask<protocol::OffsetFetchResponse>(fetch, 9);
    CHECK(fetched.groups.at(0).topics.at(0).partitions.at(0).committed_leader_epoch == 5 + start);

    // What was just written is the last batch of one partition of __consumer_offsets.
    std::int32_t newest = -1;
    for (std::int32_t index = 0; index < 64; ++index) {
      FetchRequest read;
      read.max_bytes = 1 << 20;
      auto& wanted = read.topics.emplace_back();
      wanted.topic = Text("__consumer_offsets");
      auto& one = wanted.partitions.emplace_back();
      one.partition = index;
      one.partition_max_bytes = 1 << 20;
      const auto response = client.ask<FetchResponse>(read, 12);
      const auto& found = response.responses.at(0).partitions.at(0);
      if (found.error_code != to_wire(ErrorCode::kNone)) break;
      protocol::BatchReader batches(found.records->view());
      while (const auto batch = *batches.next()) newest = std::max(newest, batch->partition_leader_epoch());
    }
    CHECK(newest == start);
  }
}

}  // namespace
}  // namespace cohort::app
