// DescribeProducers: who is known, and what cannot be asked.
#include <catch2/catch.hpp>

#include "protocol/batch/batch_builder.h"
#include "protocol/messages/describe_producers_request.h"
#include "protocol/messages/describe_producers_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::DescribeProducersRequest;
using protocol::DescribeProducersResponse;

std::vector<std::byte> idempotent_batch(std::int64_t id, std::int16_t epoch, std::int32_t sequence, int records) {
  protocol::BatchBuilder builder;
  protocol::BatchOptions options;
  options.producer_id = id;
  options.producer_epoch = epoch;
  options.base_sequence = sequence;
  builder.start(options);
  for (int i = 0; i < records; ++i) builder.append(5000 + i, std::nullopt, std::nullopt);
  const auto bytes = builder.finish();
  REQUIRE(bytes.has_value());
  return {bytes->begin(), bytes->end()};
}

DescribeProducersResponse describe(Client& client, const std::string& name, std::vector<std::int32_t> partitions) {
  DescribeProducersRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.partition_indexes = std::move(partitions);
  return client.ask<DescribeProducersResponse>(request, 0);
}

TEST_CASE("DescribeProducers") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 2);
  REQUIRE(produce(client, "t", 0, batch_of(2)) == ErrorCode::kNone);  // of nobody
  REQUIRE(produce(client, "t", 0, idempotent_batch(9, 3, 0, 4)) == ErrorCode::kNone);
  REQUIRE(produce(client, "t", 0, idempotent_batch(4, 0, 0, 1)) == ErrorCode::kNone);
  REQUIRE(produce(client, "t", 0, idempotent_batch(9, 3, 4, 2)) == ErrorCode::kNone);
  const auto response = describe(client, "t", {0, 1, 2, -1, 0});
  REQUIRE(response.topics.size() == 1);
  const auto& partitions = response.topics[0].partitions;
  REQUIRE(partitions.size() == 5);
  CHECK(partitions[0].error_code == to_wire(ErrorCode::kNone));
  CHECK_FALSE(partitions[0].error_message);
  REQUIRE(partitions[0].active_producers.size() == 2);
  const auto& first = partitions[0].active_producers[0];
  CHECK(first.producer_id == 4);
  CHECK(first.last_sequence == 0);
  const auto& second = partitions[0].active_producers[1];
  CHECK(second.producer_id == 9);
  CHECK(second.producer_epoch == 3);
  CHECK(second.last_sequence == 5);
  CHECK(second.last_timestamp == 5001);
  CHECK(second.coordinator_epoch == -1);
  CHECK(second.current_txn_start_offset == -1);
  CHECK(partitions[1].error_code == to_wire(ErrorCode::kNone));
  CHECK(partitions[1].active_producers.empty());
  CHECK(partitions[2].error_code == to_wire(ErrorCode::kUnknownTopicOrPartition));
  CHECK(partitions[3].partition_index == -1);
  CHECK(partitions[3].error_code == to_wire(ErrorCode::kUnknownTopicOrPartition));
  CHECK(partitions[4].error_code == to_wire(ErrorCode::kInvalidRequest));  // the second time
  CHECK(partitions[4].active_producers.empty());

  const auto one = [&](const std::string& topic) { return describe(client, topic, {0}).topics.at(0).partitions.at(0); };
  CHECK(one("nowhere").error_code == to_wire(ErrorCode::kUnknownTopicOrPartition));
  CHECK(one("nowhere").error_message);
  CHECK(one("no/topic").error_code == to_wire(ErrorCode::kInvalidTopicException));
  CHECK(one("__consumer_offsets").error_code == to_wire(ErrorCode::kNone));
  CHECK(one("__consumer_offsets").active_producers.empty());
}

}  // namespace
}  // namespace cohort::app
