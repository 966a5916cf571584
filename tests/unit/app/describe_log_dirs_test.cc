#include <catch2/catch.hpp>
#include <cerrno>

#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::DescribeLogDirsRequest;
using protocol::DescribeLogDirsResponse;
using Folder = DescribeLogDirsResponse::DescribeLogDirsResult;

constexpr std::int16_t kLatest = 5;

Folder ask(Client& client, const DescribeLogDirsRequest& request, std::int16_t version = kLatest) {
  const auto response = client.ask<DescribeLogDirsResponse>(request, version);
  CHECK(response.error_code == to_wire(ErrorCode::kNone));
  REQUIRE(response.results.size() == 1);
  CHECK(response.results[0].log_dir == "/data");
  return response.results[0];
}

// "topic-partition: bytes" in the order of the answer.
std::vector<std::string> sizes(const Folder& folder) {
  std::vector<std::string> out;
  for (const auto& topic : folder.topics) {
    for (const auto& partition : topic.partitions) {
      CHECK(partition.offset_lag == 0);
      CHECK_FALSE(partition.is_future_key);
      out.push_back(fmt::format("{}-{}: {}", topic.name, partition.partition_index, partition.partition_size));
    }
  }
  return out;
}

DescribeLogDirsRequest about(std::initializer_list<std::pair<const char*, std::vector<std::int32_t>>> topics) {
  DescribeLogDirsRequest request;
  request.topics.emplace();
  for (const auto& [name, partitions] : topics) {
    auto& topic = request.topics->emplace_back();
    topic.topic = name;
    topic.partitions = partitions;
  }
  return request;
}

TEST_CASE("DescribeLogDirs gives the sizes of all partitions, in every version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 3);
  const auto batch = batch_of(3);
  REQUIRE(produce(client, "t", 1, batch) == ErrorCode::kNone);
  DescribeLogDirsRequest all;
  all.topics.reset();
  for (std::int16_t version = 1; version <= kLatest; ++version) {
    INFO(version);
    const Folder folder = ask(client, all, version);
    CHECK(folder.error_code == to_wire(ErrorCode::kNone));
    CHECK(folder.total_bytes == (version < 4 ? -1 : std::int64_t{1} << 40));
    CHECK(folder.usable_bytes == (version < 4 ? -1 : std::int64_t{1} << 40));
    CHECK_FALSE(folder.is_cordoned);
    CHECK(sizes(folder) == std::vector<std::string>{"__consumer_offsets-0: 0", "__consumer_offsets-1: 0", "t-0: 0",
                                                    fmt::format("t-1: {}", batch.size()), "t-2: 0"});
  }
}

TEST_CASE("DescribeLogDirs looks at what is named, once, and leaves out what is not there") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t", 2);
  create_topic(client, "u", 2);
  CHECK(sizes(ask(client, about({}))).empty());
  const auto request = about({{"u", {1, 1}}, {"t", {0, 2, -1}}, {"v", {0}}, {"u", {1}}, {"__consumer_offsets", {1}}});
  CHECK(sizes(ask(client, request)) == std::vector<std::string>{"__consumer_offsets-1: 0", "t-0: 0", "u-1: 0"});
}

TEST_CASE("DescribeLogDirs says that the disk is full") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  fs.set_free_bytes(0);
  const Folder folder = ask(client, about({}));
  CHECK(folder.usable_bytes == 0);
  CHECK(folder.total_bytes > 0);
  fs.clear_faults();
}

TEST_CASE("DescribeLogDirs of a folder that cannot be looked at") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  fs.fail(storage::MemFs::Op::kSpace, 1, EIO);
  const Folder folder = ask(client, about({{"t", {0}}}));
  CHECK(folder.error_code == to_wire(ErrorCode::kKafkaStorageError));
  CHECK(folder.topics.empty());
  CHECK(folder.total_bytes == -1);
  CHECK(ask(client, about({{"t", {0}}})).topics.size() == 1);
}

}  // namespace
}  // namespace cohort::app
