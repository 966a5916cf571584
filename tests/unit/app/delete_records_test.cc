// DeleteRecords: every version, and its errors.
#include <catch2/catch.hpp>

#include "protocol/messages/delete_records_request.h"
#include "protocol/messages/delete_records_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::DeleteRecordsRequest;
using protocol::DeleteRecordsResponse;

DeleteRecordsResponse remove(Client& client, const std::string& name,
                             std::vector<std::pair<std::int32_t, std::int64_t>> to, std::int16_t version = 2) {
  DeleteRecordsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  for (const auto& [index, offset] : to) {
    auto& partition = topic.partitions.emplace_back();
    partition.partition_index = index;
    partition.offset = offset;
  }
  return client.ask<DeleteRecordsResponse>(request, version);
}

TEST_CASE("DeleteRecords answers each partition") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 3);
  create_topic(client, "compacted", 1, {{"cleanup.policy", "compact"}});
  for (std::int32_t partition = 0; partition < 2; ++partition) {
    REQUIRE(produce(client, "t", partition, batch_of(9)) == ErrorCode::kNone);
  }
  for (std::int16_t version = 0; version <= 2; ++version) {
    INFO(version);
    const auto response = remove(client, "t", {{1, 2 + version}, {0, -1}, {2, 1}, {3, 0}, {-1, 0}}, version);
    REQUIRE(response.topics.size() == 1);
    CHECK(response.topics[0].name == "t");
    const auto& answers = response.topics[0].partitions;
    REQUIRE(answers.size() == 5);
    const auto check = [&](std::size_t at, std::int32_t index, ErrorCode error, std::int64_t low) {
      CHECK(answers[at].partition_index == index);
      CHECK(answers[at].error_code == to_wire(error));
      CHECK(answers[at].low_watermark == low);
    };
    check(0, 1, ErrorCode::kNone, 2 + version);
    check(1, 0, ErrorCode::kNone, 9);
    check(2, 2, ErrorCode::kOffsetOutOfRange, -1);
    check(3, 3, ErrorCode::kUnknownTopicOrPartition, -1);
    check(4, -1, ErrorCode::kUnknownTopicOrPartition, -1);
  }
  const auto error_of = [&](const std::string& topic) {
    return static_cast<ErrorCode>(remove(client, topic, {{0, 0}}).topics.at(0).partitions.at(0).error_code);
  };
  CHECK(error_of("compacted") == ErrorCode::kPolicyViolation);
  CHECK(error_of("__consumer_offsets") == ErrorCode::kInvalidTopicException);
  CHECK(error_of("nowhere") == ErrorCode::kUnknownTopicOrPartition);
}

}  // namespace
}  // namespace cohort::app
