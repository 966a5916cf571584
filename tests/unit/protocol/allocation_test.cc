// Reading a steady heartbeat must not allocate: it is the request that a coordinator sees most.
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "protocol/frame/request_header.h"
#include "protocol/frame/response_frame.h"
#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/request_header.h"
#include "protocol/wire/byte_reader.h"

namespace {
std::atomic<std::size_t> allocations{0};
}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace cohort::protocol {
namespace {

constexpr std::int16_t kVersion = 1;

ByteBuffer heartbeat() {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  write(writer,
        RequestHeader{.request_api_key = ConsumerGroupHeartbeatRequest::kApiKey,
                      .request_api_version = kVersion,
                      .correlation_id = 7,
                      .client_id = "a client id that is longer than the inline room"},
        2);
  write(writer,
        ConsumerGroupHeartbeatRequest{.group_id = "the group of a large shop in the middle of the town",
                                      .member_id = "7b0c6f2e-6f0e-4e7e-9d0f-3f6d7f1f2a10",
                                      .member_epoch = 12,
                                      .instance_id = "instance"},
        kVersion);
  REQUIRE(writer.status());
  return buffer;
}

TEST_CASE("reading a heartbeat does not allocate") {
  const ByteBuffer frame = heartbeat();
  ConsumerGroupHeartbeatRequest request;
  const std::size_t before = allocations;
  ByteReader reader(frame.view());
  const auto start = read_request_header(reader);
  read(reader, request, kVersion);
  const bool good = start.has_value() && reader.ok() && reader.remaining() == 0;
  const std::size_t after = allocations;
  CHECK(good);
  CHECK(after - before == 0);
  CHECK(request.member_epoch == 12);
  // The counter does count: a copy of the long group id lives on the heap.
  const std::size_t before_copy = allocations;
  const Text copy = request.group_id;
  CHECK(allocations - before_copy == 1);
}

TEST_CASE("writing a heartbeat's response into a used buffer does not allocate") {
  ByteBuffer buffer;
  buffer.reserve(256);
  const ConsumerGroupHeartbeatResponse response{.member_id = "7b0c6f2e-6f0e-4e7e-9d0f-3f6d7f1f2a10",
                                                .member_epoch = 12};
  const std::size_t before = allocations;
  const auto written = write_response_frame(buffer, 7, response, kVersion);
  const std::size_t after = allocations;
  CHECK(written.has_value());
  CHECK(after - before == 0);
}

}  // namespace
}  // namespace cohort::protocol
