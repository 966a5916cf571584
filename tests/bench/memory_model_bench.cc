// What a steady heartbeat costs in the codec, by memory model: strings that borrow from the frame (what the generator
// makes) against the same with every string owned by a std::string. Prints ns and allocations per request and reply.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "protocol/frame/request_header.h"
#include "protocol/frame/response_frame.h"
#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/wire/byte_reader.h"

namespace {
std::size_t g_allocations = 0;
}
void* operator new(std::size_t size) {
  ++g_allocations;
  return std::malloc(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace cohort::protocol {
namespace {

constexpr int kRounds = 5'000'000;

// The same fields, each string owned.
struct OwnedHeartbeat {
  std::string group_id;
  std::string member_id;
  std::int32_t member_epoch = 0;
  std::optional<std::string> instance_id, rack_id, regex, assignor;
  std::int32_t rebalance_timeout_ms = -1;
  std::optional<std::vector<std::string>> names;
  std::optional<std::vector<ConsumerGroupHeartbeatRequest::TopicPartitions>> partitions;
};

OwnedHeartbeat own(const ConsumerGroupHeartbeatRequest& request) {
  OwnedHeartbeat owned;
  owned.group_id = request.group_id.str();
  owned.member_id = request.member_id.str();
  owned.member_epoch = request.member_epoch;
  return owned;
}

ByteBuffer make_frame() {
  ConsumerGroupHeartbeatRequest request;
  request.group_id = "payments-consumer-group-1";
  request.member_id = "T7rX9zQpRiGm3c1vLw2b8A";
  request.member_epoch = 7;
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  write(writer, request, 1);
  return buffer;
}

template <typename F>
void measure(const char* name, F round) {
  g_allocations = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) round();
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<44} {:6.1f} ns {:6.2f} allocations\n", name, took.count() / kRounds,
             static_cast<double>(g_allocations) / kRounds);
}

void run() {
  const ByteBuffer frame = make_frame();
  ByteBuffer out;
  std::size_t sum = 0;
  measure("decode, strings borrow", [&] {
    ByteReader reader(frame.view());
    ConsumerGroupHeartbeatRequest request;
    read(reader, request, 1);
    sum += request.member_id.size();
  });
  measure("decode, strings owned", [&] {
    ByteReader reader(frame.view());
    ConsumerGroupHeartbeatRequest request;
    read(reader, request, 1);
    sum += own(request).member_id.size();
  });
  measure("decode, copy the member id, encode the reply", [&] {
    ByteReader reader(frame.view());
    ConsumerGroupHeartbeatRequest request;
    read(reader, request, 1);
    ConsumerGroupHeartbeatResponse response;
    response.member_id = Text(request.member_id);
    response.member_epoch = request.member_epoch;
    response.heartbeat_interval_ms = 5000;
    out.clear();
    if (!write_response_frame(out, 1, response, 1)) std::abort();
    sum += out.size();
  });
  fmt::print("(checksum {})\n", sum);
}

}  // namespace
}  // namespace cohort::protocol

int main() {
  cohort::protocol::run();
}
