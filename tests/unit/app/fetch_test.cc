// Fetch: what is read, how much at once, and what waits.
#include <catch2/catch.hpp>

#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::FetchRequest;
using protocol::FetchResponse;
using Partition = FetchResponse::PartitionData;

constexpr std::int16_t kLastWithNames = 12;
constexpr std::int16_t kLatest = 18;
constexpr std::int32_t kForever = 3'600'000;

FetchRequest request_of(const std::string& topic, std::int64_t offset, std::int32_t partition = 0) {
  FetchRequest request;
  request.max_bytes = 1 << 20;
  auto& wanted = request.topics.emplace_back();
  wanted.topic = topic;
  auto& one = wanted.partitions.emplace_back();
  one.partition = partition;
  one.fetch_offset = offset;
  one.partition_max_bytes = 1 << 20;
  return request;
}

Partition ask(Client& client, const FetchRequest& request, std::int16_t version = kLastWithNames) {
  const auto response = client.ask<FetchResponse>(request, version);
  CHECK(response.error_code == to_wire(ErrorCode::kNone));
  CHECK(response.session_id == 0);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partitions.size() == 1);
  return response.responses[0].partitions[0];
}

ErrorCode error_of(Client& client, const FetchRequest& request, std::int16_t version = kLastWithNames) {
  return static_cast<ErrorCode>(ask(client, request, version).error_code);
}

std::size_t bytes_of(const Partition& partition) {
  return partition.records ? partition.records->size() : 0;
}

TEST_CASE("Fetch reads what was written, in every version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  const std::vector<std::byte> batch = batch_of(3);
  REQUIRE(produce(client, "t", 0, batch) == ErrorCode::kNone);
  for (std::int16_t version = 4; version <= kLatest; ++version) {
    INFO(version);
    FetchRequest request = request_of("t", 0);
    if (version > kLastWithNames) {
      request.topics[0].topic = Text();
      request.topics[0].topic_id = id;
    }
    const Partition read = ask(client, request, version);
    CHECK(read.error_code == to_wire(ErrorCode::kNone));
    CHECK(read.high_watermark == 3);
    CHECK(read.last_stable_offset == 3);
    CHECK(read.log_start_offset == (version < 5 ? -1 : 0));
    CHECK(bytes_of(read) == batch.size());
  }
}

TEST_CASE("Fetch from what does not exist") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  CHECK(error_of(client, request_of("u", 0)) == ErrorCode::kUnknownTopicOrPartition);
  CHECK(error_of(client, request_of("t", 0, 1)) == ErrorCode::kUnknownTopicOrPartition);
  FetchRequest by_id = request_of("", 0);
  by_id.topics[0].topic_id = protocol::Uuid(1, 2);
  const auto unknown = client.ask<FetchResponse>(by_id, kLatest);
  CHECK(unknown.responses.at(0).topic_id == protocol::Uuid(1, 2));
  CHECK(unknown.responses.at(0).partitions.at(0).error_code == to_wire(ErrorCode::kUnknownTopicId));
  by_id.topics[0].topic_id = id;
  by_id.topics[0].partitions[0].partition = 1;
  CHECK(error_of(client, by_id, kLatest) == ErrorCode::kUnknownTopicOrPartition);
}

TEST_CASE("Fetch at offsets that are not there is an error at once, at the end it is nothing") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  REQUIRE(produce(client, "t", 0, batch_of(3)) == ErrorCode::kNone);
  FetchRequest request = request_of("t", 4);
  request.min_bytes = 1;
  request.max_wait_ms = kForever;
  CHECK(error_of(client, request) == ErrorCode::kOffsetOutOfRange);
  request.topics[0].partitions[0].fetch_offset = -1;
  CHECK(error_of(client, request) == ErrorCode::kOffsetOutOfRange);
  const Partition end = ask(client, request_of("t", 3));
  CHECK(end.error_code == to_wire(ErrorCode::kNone));
  CHECK(bytes_of(end) == 0);
}

TEST_CASE("Fetch knows one leader epoch") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  FetchRequest request = request_of("t", 0);
  request.topics[0].partitions[0].current_leader_epoch = 1;
  CHECK(error_of(client, request) == ErrorCode::kUnknownLeaderEpoch);
  request.topics[0].partitions[0].current_leader_epoch = 0;
  CHECK(error_of(client, request) == ErrorCode::kNone);
}

TEST_CASE("Fetch gives whole batches up to its limits, the first one however large") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 2);
  const auto batch = batch_of(1, 1000, 1000);
  const auto size = static_cast<std::int32_t>(batch.size());
  for (int i = 0; i < 3; ++i) {
    for (std::int32_t partition : {0, 1}) REQUIRE(produce(client, "t", partition, batch) == ErrorCode::kNone);
  }
  FetchRequest request = request_of("t", 0);
  auto& first = request.topics[0].partitions[0];
  const auto batches = [&] { return bytes_of(ask(client, request)) / batch.size(); };
  CHECK(batches() == 3);
  request.max_bytes = 1;
  CHECK(batches() == 1);
  request.max_bytes = 2 * size + 10;
  CHECK(batches() == 2);
  request.max_bytes = 1 << 20;
  first.partition_max_bytes = 1;
  CHECK(batches() == 1);
  // Of several partitions, in the order of the request: what the first leaves is for the second.
  first.partition_max_bytes = 1 << 20;
  request.topics[0].partitions.push_back(first);
  request.topics[0].partitions[1].partition = 1;
  const auto per_partition = [&] {
    const auto response = client.ask<FetchResponse>(request, kLastWithNames);
    const auto& partitions = response.responses.at(0).partitions;
    return std::pair(bytes_of(partitions.at(0)) / batch.size(), bytes_of(partitions.at(1)) / batch.size());
  };
  request.max_bytes = 4 * size;
  CHECK(per_partition() == std::pair<std::size_t, std::size_t>(3, 1));
  request.max_bytes = 1;
  CHECK(per_partition() == std::pair<std::size_t, std::size_t>(1, 0));
}

TEST_CASE("Fetch waits for records, and a produce ends the wait") {
  storage::MemFs fs;
  Machine machine(fs);
  Client reader(machine);
  Client writer(machine);
  create_topic(writer, "t", 2);
  FetchRequest request = request_of("t", 0);
  request.min_bytes = 1;
  request.max_wait_ms = kForever;
  request.topics[0].partitions.push_back(request.topics[0].partitions[0]);
  request.topics[0].partitions[1].partition = 1;
  // Whether the fetch is there first is not for the test to say; of many, some are.
  for (int round = 0; round < 20; ++round) {
    const std::int32_t partition = round % 2;
    reader.send(request, kLastWithNames);
    REQUIRE(produce(writer, "t", partition, batch_of(1)) == ErrorCode::kNone);
    const auto response = reader.receive<FetchResponse>(kLastWithNames);
    const auto& partitions = response.responses.at(0).partitions;
    CHECK(bytes_of(partitions.at(static_cast<std::size_t>(partition))) > 0);
    ++request.topics[0].partitions[static_cast<std::size_t>(partition)].fetch_offset;
  }
}

TEST_CASE("Fetch: the server does not wait for clients that wait") {
  storage::MemFs fs;
  std::unique_ptr<Client> waiting;
  {
    Machine machine(fs);
    Client client(machine);
    create_topic(client, "t");
    FetchRequest request = request_of("t", 0);
    request.min_bytes = 1;
    request.max_wait_ms = kForever;
    waiting = std::make_unique<Client>(machine);
    waiting->send(request, kLastWithNames);
  }
  CHECK(waiting->is_closed());
}

}  // namespace
}  // namespace cohort::app
