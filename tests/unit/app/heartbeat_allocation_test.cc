// A steady heartbeat, from the socket through the shard and back, must not allocate: a coordinator sees little else.
// Not under sanitizers, which have an operator new of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define COHORT_NO_COUNTING 1
#endif
#endif

#ifndef COHORT_NO_COUNTING
#include <atomic>
#include <cstdlib>
#include <new>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "tests/unit/app/machine.h"

namespace {
// By the threads of the server: the client allocates as it likes.
std::atomic<std::size_t> server_allocations{0};
thread_local bool is_client = false;
}  // namespace

void* operator new(std::size_t size) {
  if (!is_client) ++server_allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace cohort::app {
namespace {

using protocol::ConsumerGroupHeartbeatRequest;
using protocol::ConsumerGroupHeartbeatResponse;

constexpr std::int16_t kLast = 1;

// Joins a group and answers with the heartbeat that it sends from now on.
ConsumerGroupHeartbeatRequest join(Client& client, const std::string& group, const std::string& member) {
  ConsumerGroupHeartbeatRequest request;
  request.group_id = group;
  request.member_id = member;
  request.rebalance_timeout_ms = 30'000;
  request.subscribed_topic_names = std::vector<Text>{Text("none such")};
  request.topic_partitions.emplace();
  const auto joined = client.ask<ConsumerGroupHeartbeatResponse>(request, kLast);
  REQUIRE(joined.error_code == to_wire(ErrorCode::kNone));
  ConsumerGroupHeartbeatRequest steady;
  steady.group_id = group;
  steady.member_id = member;
  steady.member_epoch = joined.member_epoch;
  return steady;
}

TEST_CASE("a steady heartbeat does not allocate") {
  is_client = true;
  storage::MemFs disk;
  const Machine machine(disk);
  Client client(machine);
  std::vector<ConsumerGroupHeartbeatRequest> members;
  for (int i = 0; i < 8; ++i) {
    // Groups on all shards, so on all reactors: answers come home in another order than the requests went.
    members.push_back(join(client, "group " + std::to_string(i), "ZB0mZW1iZXIgb2YgMjI"));
  }
  std::vector<std::vector<std::byte>> frames;
  for (const auto& member : members) frames.push_back(client.frame_of(member, kLast));
  std::int32_t asked = 8;
  const auto round = [&] {
    std::vector<std::byte> all;
    for (const auto& frame : frames) {
      const std::size_t at = all.size();
      all.insert(all.end(), frame.begin(), frame.end());
      protocol::store_big_endian(all.data() + at + 8, ++asked);  // the correlation id, behind length, key and version
    }
    client.send_bytes(all);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      REQUIRE(client.receive_frame().size() > 10);
    }
  };
  for (int i = 0; i < 300; ++i) round();
  const std::size_t before = server_allocations;
  constexpr int kRounds = 500;
  for (int i = 0; i < kRounds; ++i) round();
  const std::size_t after = server_allocations;
  // Heartbeats none, and there were 8 in each round; timers and a read while the buffer of the last one is still out
  // may.
  CHECK(after - before < kRounds / 2);
}

}  // namespace
}  // namespace cohort::app
#endif
