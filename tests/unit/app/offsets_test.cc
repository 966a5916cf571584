// Offsets of consumers that are no members of a group: committed, fetched and deleted, by name and by id, over a
// restart.
#include <catch2/catch.hpp>
#include <cerrno>
#include <map>

#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_delete_request.h"
#include "protocol/messages/offset_delete_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::OffsetCommitRequest;
using protocol::OffsetCommitResponse;
using protocol::OffsetDeleteRequest;
using protocol::OffsetDeleteResponse;
using protocol::OffsetFetchRequest;
using protocol::OffsetFetchResponse;
using Errors = std::vector<ErrorCode>;

OffsetCommitRequest commit_of(const std::string& group, const std::string& topic,
                              const std::map<std::int32_t, std::int64_t>& offsets) {
  OffsetCommitRequest request;
  request.group_id = group;
  auto& committed = request.topics.emplace_back();
  committed.name = topic;
  for (const auto& [partition, offset] : offsets) {
    auto& one = committed.partitions.emplace_back();
    one.partition_index = partition;
    one.committed_offset = offset;
    one.committed_metadata = Text(fmt::format("at {}", offset));
  }
  return request;
}

Errors errors_of(const OffsetCommitResponse& response) {
  Errors errors;
  for (const auto& topic : response.topics) {
    for (const auto& partition : topic.partitions) errors.push_back(static_cast<ErrorCode>(partition.error_code));
  }
  return errors;
}

using Wanted = std::map<std::string, std::vector<std::int32_t>>;  // partitions by topic
using Offsets = std::map<std::pair<std::string, std::int32_t>, std::int64_t>;

// All of the group when nothing is wanted in particular.
Offsets fetch(Client& client, const std::string& group, const std::optional<Wanted>& wanted = std::nullopt) {
  OffsetFetchRequest request;
  auto& asked = request.groups.emplace_back();
  asked.group_id = group;
  if (!wanted) asked.topics.reset();
  for (const auto& [name, partitions] : wanted.value_or(Wanted{})) {
    auto& topic = asked.topics->emplace_back();
    topic.name = name;
    topic.partition_indexes = partitions;
  }
  const auto response = client.ask<OffsetFetchResponse>(request, 9);
  REQUIRE(response.groups.size() == 1);
  CHECK(response.groups[0].group_id == group);
  CHECK(response.groups[0].error_code == to_wire(ErrorCode::kNone));
  Offsets offsets;
  for (const auto& topic : response.groups[0].topics) {
    for (const auto& partition : topic.partitions) {
      CHECK(partition.error_code == to_wire(ErrorCode::kNone));
      offsets[{topic.name.str(), partition.partition_index}] = partition.committed_offset;
    }
  }
  return offsets;
}

TEST_CASE("a simple consumer's offsets survive a restart") {
  storage::MemFs fs;
  {
    Machine machine(fs);
    Client client(machine);
    create_topic(client, "t", 3);
    for (std::int16_t version = 2; version <= 9; ++version) {
      INFO(version);
      CHECK(errors_of(client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, version}, {1, 7}}), version)) ==
            Errors{ErrorCode::kNone, ErrorCode::kNone});
    }
    // The empty group id is one like others.
    CHECK(errors_of(client.ask<OffsetCommitResponse>(commit_of("", "t", {{2, 5}}), 9)) == Errors{ErrorCode::kNone});
  }
  Machine machine(fs);
  Client client(machine);
  CHECK(fetch(client, "g") == Offsets{{{"t", 0}, 9}, {{"t", 1}, 7}});
  CHECK(fetch(client, "g", Wanted{{"t", {2, 1}}, {"u", {0}}}) ==
        Offsets{{{"t", 1}, 7}, {{"t", 2}, -1}, {{"u", 0}, -1}});
  CHECK(fetch(client, "") == Offsets{{{"t", 2}, 5}});
  CHECK(fetch(client, "nobody").empty());
  CHECK(fetch(client, "g", Wanted{}).empty());
}

TEST_CASE("whether commits are synced before they are answered may change with each start") {
  storage::MemFs fs;
  std::int64_t committed = 0;
  for (const std::string durability : {"os", "sync", "os", "os"}) {
    Machine machine(fs, {"cohort.coordinator.durability=" + durability});
    Client client(machine);
    if (committed == 0) create_topic(client, "t");
    if (committed > 0) CHECK(fetch(client, "g") == Offsets{{{"t", 0}, committed}});
    for (int i = 0; i < 20; ++i) {
      CHECK(errors_of(client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, ++committed}}), 9)) ==
            Errors{ErrorCode::kNone});
    }
    // A disk that does not sync holds up only those who asked for it.
    fs.fail(storage::MemFs::Op::kSync, 1, EIO, /*repeat=*/true);
    const auto answered = errors_of(client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, committed + 1}}), 9));
    CHECK(answered == Errors{durability == "os" ? ErrorCode::kNone : ErrorCode::kNotCoordinator});
    fs.clear_faults();
    const auto again = commit_of("g", "t", {{0, ++committed}});
    while (errors_of(client.ask<OffsetCommitResponse>(again, 9)) != Errors{ErrorCode::kNone}) {
    }
  }
  Machine machine(fs);
  Client client(machine);
  CHECK(fetch(client, "g") == Offsets{{{"t", 0}, committed}});
}

TEST_CASE("OffsetFetch in the shape of each version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, 4}}), 9);
  for (std::int16_t version = 1; version <= 7; ++version) {
    INFO(version);
    OffsetFetchRequest request;
    request.group_id = "g";
    auto& topic = request.topics->emplace_back();
    topic.name = "t";
    topic.partition_indexes = {0};
    for (const bool all : {false, true}) {
      if (all && version < 2) continue;
      if (all) request.topics.reset();
      const auto response = client.ask<OffsetFetchResponse>(request, version);
      REQUIRE(response.topics.size() == 1);
      CHECK(response.topics[0].name == "t");
      REQUIRE(response.topics[0].partitions.size() == 1);
      CHECK(response.topics[0].partitions[0].committed_offset == 4);
      CHECK(response.topics[0].partitions[0].metadata == Text("at 4"));
    }
  }
  OffsetFetchRequest by_id;
  auto& group = by_id.groups.emplace_back();
  group.group_id = "g";
  for (const auto& wanted : {protocol::Uuid(1, 2), id}) {
    auto& topic = group.topics->emplace_back();
    topic.topic_id = wanted;
    topic.partition_indexes = {0};
  }
  const auto response = client.ask<OffsetFetchResponse>(by_id, 10);
  std::map<protocol::Uuid, std::pair<std::int64_t, ErrorCode>> found;
  for (const auto& topic : response.groups.at(0).topics) {
    const auto& partition = topic.partitions.at(0);
    found[topic.topic_id] = {partition.committed_offset, static_cast<ErrorCode>(partition.error_code)};
  }
  CHECK(found ==
        decltype(found){{protocol::Uuid(1, 2), {-1, ErrorCode::kUnknownTopicId}}, {id, {4, ErrorCode::kNone}}});
}

TEST_CASE("commits and fetches of offsets overlap on a connection, and each fetch sees what was asked before it") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 2);
  // More than may be open at once; a fetch of all the group has to wait for those before it, and those behind it for
  // it.
  constexpr std::int64_t kRounds = 100;
  OffsetFetchRequest one;
  one.groups.emplace_back().group_id = "g";
  auto& topic = one.groups[0].topics->emplace_back();
  topic.name = "t";
  topic.partition_indexes = {1};
  OffsetFetchRequest all = one;
  all.groups[0].topics.reset();
  for (std::int64_t round = 0; round < kRounds; ++round) {
    client.send(commit_of("g", "t", {{1, round}}), 9);
    client.send(round % 10 == 0 ? all : one, 9);
  }
  for (std::int64_t round = 0; round < kRounds; ++round) {
    REQUIRE(errors_of(client.receive<OffsetCommitResponse>(9)) == Errors{ErrorCode::kNone});
    const auto fetched = client.receive<OffsetFetchResponse>(9);
    CHECK(fetched.groups.at(0).topics.at(0).partitions.at(0).committed_offset == round);
  }
}

TEST_CASE("OffsetCommit: what is refused") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  CHECK(errors_of(client.ask<OffsetCommitResponse>(commit_of("g", "u", {{0, 1}}), 9)) ==
        Errors{ErrorCode::kUnknownTopicOrPartition});
  // In the answer, the partition that does not exist comes first.
  CHECK(errors_of(client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, 1}, {1, 1}}), 9)) ==
        Errors{ErrorCode::kUnknownTopicOrPartition, ErrorCode::kNone});
  OffsetCommitRequest request = commit_of("g", "t", {{0, 2}});
  request.topics[0].partitions[0].committed_metadata = Text(std::string(4097, 'm'));
  CHECK(errors_of(client.ask<OffsetCommitResponse>(request, 9)) == Errors{ErrorCode::kOffsetMetadataTooLarge});
  request = commit_of("missing", "t", {{0, 2}});
  request.generation_id_or_member_epoch = 1;
  CHECK(errors_of(client.ask<OffsetCommitResponse>(request, 9)) == Errors{ErrorCode::kGroupIdNotFound});
  CHECK(errors_of(client.ask<OffsetCommitResponse>(request, 8)) == Errors{ErrorCode::kIllegalGeneration});
  request = commit_of("g", "", {{0, 3}});
  request.topics[0].topic_id = protocol::Uuid(1, 2);
  CHECK(errors_of(client.ask<OffsetCommitResponse>(request, 10)) == Errors{ErrorCode::kUnknownTopicId});
  request.topics[0].topic_id = id;
  CHECK(errors_of(client.ask<OffsetCommitResponse>(request, 10)) == Errors{ErrorCode::kNone});
  CHECK(fetch(client, "g") == Offsets{{{"t", 0}, 3}});
}

TEST_CASE("OffsetDelete takes offsets away, and says what it does not know") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 2);
  client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, 1}, {1, 2}}), 9);
  OffsetDeleteRequest request;
  request.group_id = "g";
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  for (const std::int32_t index : {0, 9}) topic.partitions.emplace_back().partition_index = index;
  const auto response = client.ask<OffsetDeleteResponse>(request, 0);
  CHECK(response.error_code == to_wire(ErrorCode::kNone));
  std::map<std::int32_t, ErrorCode> errors;
  for (const auto& partition : response.topics.at(0).partitions) {
    errors[partition.partition_index] = static_cast<ErrorCode>(partition.error_code);
  }
  CHECK(errors == decltype(errors){{0, ErrorCode::kNone}, {9, ErrorCode::kUnknownTopicOrPartition}});
  CHECK(fetch(client, "g") == Offsets{{{"t", 1}, 2}});
  request.group_id = "nobody";
  CHECK(client.ask<OffsetDeleteResponse>(request, 0).error_code == to_wire(ErrorCode::kGroupIdNotFound));
  request.group_id = "";
  CHECK(client.ask<OffsetDeleteResponse>(request, 0).error_code == to_wire(ErrorCode::kInvalidGroupId));
}

TEST_CASE("a deleted topic takes its offsets with it") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  create_topic(client, "u");
  client.ask<OffsetCommitResponse>(commit_of("g", "t", {{0, 1}}), 9);
  client.ask<OffsetCommitResponse>(commit_of("g", "u", {{0, 2}}), 9);
  delete_topic(client, "t");
  create_topic(client, "t");
  CHECK(fetch(client, "g") == Offsets{{{"u", 0}, 2}});
}

}  // namespace
}  // namespace cohort::app
