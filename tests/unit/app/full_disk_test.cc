// A whole server on a disk without room.
#include <catch2/catch.hpp>

#include "protocol/messages/list_offsets_request.h"
#include "protocol/messages/list_offsets_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

TEST_CASE("A server whose disk is full ends in an orderly way, and what was acknowledged is there at the next start") {
  storage::MemFs fs;
  {
    Machine machine(fs);
    Client client(machine);
    create_topic(client, "t");
    REQUIRE(produce(client, "t", 0, batch_of(3)) == ErrorCode::kNone);
    fs.set_free_bytes(0);
    CHECK(produce(client, "t", 0, batch_of(1)) == ErrorCode::kKafkaStorageError);
    // The machine's end checks that it was one; the checkpoints that it writes find no room.
  }
  fs.set_free_bytes(std::nullopt);
  Machine machine(fs);
  Client client(machine);
  protocol::ListOffsetsRequest request;
  auto& topic = request.topics.emplace_back();
  topic.name = "t";
  topic.partitions.emplace_back().timestamp = -1;
  const auto listed = client.ask<protocol::ListOffsetsResponse>(request, 7);
  CHECK(listed.topics.at(0).partitions.at(0).offset == 3);
}

}  // namespace
}  // namespace cohort::app
