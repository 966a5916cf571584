// Produce: what becomes of batches that should not be written.
#include <catch2/catch.hpp>

#include "protocol/batch/batch_builder.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::ProduceRequest;
using protocol::ProduceResponse;
using PartitionResponse = ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t kLastWithNames = 12;

ProduceRequest request_of(const std::string& topic, std::int32_t partition, std::vector<std::byte> batch) {
  ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 1000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& one = data.partition_data.emplace_back();
  one.index = partition;
  one.records = protocol::Bytes::own(std::move(batch));
  return request;
}

PartitionResponse ask(Client& client, const ProduceRequest& request, std::int16_t version = kLastWithNames) {
  const auto response = client.ask<ProduceResponse>(request, version);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partition_responses.size() == 1);
  return response.responses[0].partition_responses[0];
}

ErrorCode error_of(Client& client, const ProduceRequest& request, std::int16_t version = kLastWithNames) {
  return static_cast<ErrorCode>(ask(client, request, version).error_code);
}

std::vector<std::byte> batch_with(const protocol::BatchOptions& options) {
  protocol::BatchBuilder builder;
  builder.start(options);
  builder.append(1000, std::nullopt, std::as_bytes(std::span("v", 1)));
  const auto bytes = builder.finish();
  REQUIRE(bytes.has_value());
  return {bytes->begin(), bytes->end()};
}

TEST_CASE("Produce says where the batch went, in every version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  std::int64_t next = 0;
  for (std::int16_t version = 3; version <= 13; ++version) {
    INFO(version);
    ProduceRequest request = request_of("t", 0, batch_of(2));
    request.topic_data[0].topic_id = id;
    if (version > kLastWithNames) request.topic_data[0].name = Text();
    if (version <= kLastWithNames) request.topic_data[0].topic_id = {};
    const PartitionResponse written = ask(client, request, version);
    CHECK(written.error_code == to_wire(ErrorCode::kNone));
    CHECK(written.base_offset == next);
    CHECK(written.log_append_time_ms == -1);
    CHECK(written.log_start_offset == (version < 5 ? -1 : 0));
    next += 2;
  }
}

TEST_CASE("Produce to what does not exist") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  CHECK(error_of(client, request_of("u", 0, batch_of(1))) == ErrorCode::kUnknownTopicOrPartition);
  CHECK(error_of(client, request_of("t", 1, batch_of(1))) == ErrorCode::kUnknownTopicOrPartition);
  CHECK(error_of(client, request_of("t", -1, batch_of(1))) == ErrorCode::kUnknownTopicOrPartition);
  ProduceRequest by_id = request_of("", 0, batch_of(1));
  by_id.topic_data[0].topic_id = protocol::Uuid(1, 2);
  CHECK(error_of(client, by_id, 13) == ErrorCode::kUnknownTopicId);
  CHECK(error_of(client, request_of("__consumer_offsets", 0, batch_of(1))) == ErrorCode::kInvalidTopicException);
}

TEST_CASE("Produce: batches that are refused leave nothing behind") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  std::vector<std::byte> damaged = batch_of(1);
  damaged.back() ^= std::byte{1};
  CHECK(error_of(client, request_of("t", 0, damaged)) == ErrorCode::kCorruptMessage);
  std::vector<std::byte> cut = batch_of(1);
  cut.pop_back();
  CHECK(error_of(client, request_of("t", 0, cut)) == ErrorCode::kInvalidRecord);
  CHECK(error_of(client, request_of("t", 0, {})) == ErrorCode::kInvalidRecord);
  CHECK(error_of(client, request_of("t", 0, batch_of(1, 1000, 2'000'000))) == ErrorCode::kMessageTooLarge);
  CHECK(error_of(client, request_of("t", 0, batch_with({.is_control = true}))) == ErrorCode::kInvalidRecord);
  CHECK(error_of(
            client,
            request_of(
                "t", 0,
                batch_with({.is_transactional = true, .producer_id = 1, .producer_epoch = 0, .base_sequence = 0}))) ==
        ErrorCode::kInvalidTxnState);
  CHECK(ask(client, request_of("t", 0, batch_of(1))).base_offset == 0);
}

TEST_CASE("Produce: acks are all, one or none") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  ProduceRequest request = request_of("t", 0, batch_of(1));
  for (std::int16_t acks : {2, -2}) {
    request.acks = acks;
    CHECK(error_of(client, request) == ErrorCode::kInvalidRequiredAcks);
  }
  request.acks = 1;
  CHECK(ask(client, request).base_offset == 0);
  // None is not answered, and what comes behind it is.
  request.acks = 0;
  client.send(request, kLastWithNames);
  client.expect_no_answer();
  request.acks = -1;
  CHECK(ask(client, request).base_offset == 2);
}

TEST_CASE("Produce with acks=0 that fails closes the connection, so that the client looks for the leader") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  ProduceRequest request = request_of("u", 0, batch_of(1));
  request.acks = 0;
  client.send(request, kLastWithNames);
  CHECK(client.is_closed());
}

TEST_CASE("Produce: one partition that fails does not hold up the others") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 2);
  ProduceRequest request = request_of("t", 0, batch_of(1));
  for (std::int32_t index : {5, 1}) {
    auto& partition = request.topic_data[0].partition_data.emplace_back();
    partition.index = index;
    partition.records = protocol::Bytes::own(batch_of(1));
  }
  const auto response = client.ask<ProduceResponse>(request, kLastWithNames);
  REQUIRE(response.responses.size() == 1);
  std::vector<std::pair<std::int32_t, ErrorCode>> errors;
  for (const PartitionResponse& partition : response.responses[0].partition_responses) {
    errors.emplace_back(partition.index, static_cast<ErrorCode>(partition.error_code));
  }
  CHECK(errors == std::vector<std::pair<std::int32_t, ErrorCode>>{
                      {0, ErrorCode::kNone}, {5, ErrorCode::kUnknownTopicOrPartition}, {1, ErrorCode::kNone}});
}

}  // namespace
}  // namespace cohort::app
