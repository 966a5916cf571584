// ListOffsets: the times that mean something special, and those that do not.
#include <catch2/catch.hpp>

#include "protocol/messages/list_offsets_request.h"
#include "protocol/messages/list_offsets_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::ListOffsetsRequest;
using protocol::ListOffsetsResponse;

constexpr std::int16_t kLatest = 11;
constexpr std::int64_t kLatestTime = -1;
constexpr std::int64_t kEarliest = -2;
constexpr std::int64_t kMaxTime = -3;
constexpr std::int64_t kEarliestLocal = -4;
constexpr std::int64_t kLatestTiered = -5;
constexpr std::int64_t kPendingUpload = -6;

struct Found {
  ErrorCode error = ErrorCode::kNone;
  std::int64_t offset = -1;
  std::int64_t timestamp = -1;
  std::int32_t epoch = 0;
  friend bool operator==(const Found&, const Found&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Found& found) {
    return out << fmt::format("{} at {} of {}, epoch {}", found.error, found.offset, found.timestamp, found.epoch);
  }
};
constexpr Found kNothing{.epoch = -1};

ListOffsetsRequest request_of(const std::string& topic, std::vector<std::int32_t> partitions, std::int64_t timestamp) {
  ListOffsetsRequest request;
  request.replica_id = -1;
  auto& wanted = request.topics.emplace_back();
  wanted.name = topic;
  for (const std::int32_t index : partitions) {
    auto& one = wanted.partitions.emplace_back();
    one.partition_index = index;
    one.timestamp = timestamp;
  }
  return request;
}

Found find(Client& client, const ListOffsetsRequest& request, std::int16_t version = kLatest) {
  const auto response = client.ask<ListOffsetsResponse>(request, version);
  const auto& found = response.topics.at(0).partitions.at(0);
  return {static_cast<ErrorCode>(found.error_code), found.offset, found.timestamp, found.leader_epoch};
}
Found find(Client& client, std::int64_t timestamp, std::int16_t version = kLatest) {
  return find(client, request_of("t", {0}, timestamp), version);
}

TEST_CASE("ListOffsets: each special time") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  // 0..2 at 1000..1002, 3..4 at 500..501, 5 at 1001.
  for (const auto& batch : {batch_of(3, 1000), batch_of(2, 500), batch_of(1, 1001)}) {
    REQUIRE(produce(client, "t", 0, batch) == ErrorCode::kNone);
  }
  CHECK(find(client, kLatestTime) == Found{.offset = 6});
  CHECK(find(client, kEarliest) == Found{.offset = 0});
  CHECK(find(client, kMaxTime) == Found{.offset = 2, .timestamp = 1002});
  CHECK(find(client, kEarliestLocal) == Found{.offset = 0});
  CHECK(find(client, kLatestTiered) == kNothing);
  CHECK(find(client, kPendingUpload) == kNothing);
  CHECK(find(client, 0) == Found{.offset = 0, .timestamp = 1000});
  CHECK(find(client, 1001) == Found{.offset = 1, .timestamp = 1001});
  CHECK(find(client, 1002) == Found{.offset = 2, .timestamp = 1002});
  CHECK(find(client, 1003) == kNothing);
}

TEST_CASE("ListOffsets: an answer says the leader epoch that goes with its offset") {
  storage::MemFs fs;
  for (int start = 0; start < 3; ++start) {  // epochs 0 to 2; nothing is written in the last
    Machine machine(fs);
    Client client(machine);
    if (start == 0) create_topic(client, "t");
    if (start < 2) REQUIRE(produce(client, "t", 0, batch_of(3, 1000 + 1000 * start)) == ErrorCode::kNone);
    if (start < 2) continue;
    for (std::int16_t version = 1; version <= kLatest; ++version) {
      const auto epoch = [&](std::int64_t timestamp) { return find(client, timestamp, version).epoch; };
      const bool has_epochs = version >= 4;
      CHECK(epoch(kLatestTime) == (has_epochs ? 2 : -1));
      CHECK(epoch(kEarliest) == (has_epochs ? 0 : -1));
      CHECK(epoch(1002) == (has_epochs ? 0 : -1));
      CHECK(epoch(1003) == (has_epochs ? 1 : -1));
      CHECK(epoch(9000) == -1);
      if (version >= 7) CHECK(epoch(kMaxTime) == 1);
      if (version >= 8) CHECK(epoch(kEarliestLocal) == 0);
      if (version >= 9) CHECK(epoch(kLatestTiered) == -1);
      if (version >= 11) CHECK(epoch(kPendingUpload) == -1);
    }
  }
}

TEST_CASE("ListOffsets of an empty partition") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  CHECK(find(client, kLatestTime) == Found{.offset = 0});
  CHECK(find(client, kEarliest) == Found{.offset = 0});
  CHECK(find(client, kMaxTime) == kNothing);
  CHECK(find(client, 0) == kNothing);
}

TEST_CASE("ListOffsets: a special time that is newer than the version is refused") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  const std::vector<std::pair<std::int64_t, std::int16_t>> first_versions{
      {kLatestTime, 1},   {kEarliest, 1},       {kMaxTime, 7},    {kEarliestLocal, 8},
      {kLatestTiered, 9}, {kPendingUpload, 11}, {-7, kLatest + 1}};
  for (const auto& [timestamp, first] : first_versions) {
    for (std::int16_t version = 1; version <= kLatest; ++version) {
      INFO(timestamp << " in version " << version);
      CHECK(find(client, timestamp, version).error ==
            (version < first ? ErrorCode::kUnsupportedVersion : ErrorCode::kNone));
    }
  }
}

TEST_CASE("ListOffsets: what does not exist, other epochs, partitions named twice") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  CHECK(find(client, request_of("u", {0}, kLatestTime)).error == ErrorCode::kUnknownTopicOrPartition);
  CHECK(find(client, request_of("t", {1}, kLatestTime)).error == ErrorCode::kUnknownTopicOrPartition);
  CHECK(find(client, request_of("t", {0, 0}, kLatestTime)).error == ErrorCode::kInvalidRequest);
  ListOffsetsRequest epoch = request_of("t", {0}, kLatestTime);
  epoch.topics[0].partitions[0].current_leader_epoch = 1;
  CHECK(find(client, epoch).error == ErrorCode::kUnknownLeaderEpoch);
  epoch.topics[0].partitions[0].current_leader_epoch = 0;
  CHECK(find(client, epoch) == Found{.offset = 0});
}

}  // namespace
}  // namespace cohort::app
