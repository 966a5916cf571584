// What a connection does with bytes, whatever they say: frames are cut, answered in order, or the connection is closed.
#include <catch2/catch.hpp>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

constexpr std::int16_t kMetadata = 12;
constexpr std::int16_t kHeartbeat = 1;

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> length_of(std::int32_t length) {
  std::vector<std::byte> bytes(sizeof length);
  protocol::store_big_endian(bytes.data(), length);
  return bytes;
}

protocol::ConsumerGroupHeartbeatRequest stranger() {
  protocol::ConsumerGroupHeartbeatRequest request;
  request.group_id = "g";
  request.member_id = "m";
  request.member_epoch = 5;
  return request;
}

TEST_CASE("pipelined requests of all kinds are answered in their order") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t");
  // Those that may overlap take a detour over other threads, those that may not are answered on the spot.
  constexpr int kRounds = 200;
  std::vector<std::byte> all;
  const auto append = [&](const std::vector<std::byte>& frame) { all.insert(all.end(), frame.begin(), frame.end()); };
  protocol::FetchRequest fetch;
  for (int i = 0; i < kRounds; ++i) {
    append(client.frame_of(stranger(), kHeartbeat));
    append(client.frame_of(stranger(), kHeartbeat));
    append(client.frame_of(protocol::MetadataRequest{}, kMetadata));
    append(client.frame_of(fetch, 12));
  }
  client.send_bytes(all);
  for (int i = 0; i < kRounds; ++i) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      CHECK(client.receive<protocol::ConsumerGroupHeartbeatResponse>(kHeartbeat).error_code ==
            to_wire(ErrorCode::kGroupIdNotFound));
    }
    CHECK(client.receive<protocol::MetadataResponse>(kMetadata).brokers.size() == 1);
    CHECK(client.receive<protocol::FetchResponse>(12).responses.empty());
  }
}

TEST_CASE("what was asked before the client stopped sending is answered") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  client.send(protocol::MetadataRequest{}, kMetadata);
  client.end_sending();
  CHECK(client.receive<protocol::MetadataResponse>(kMetadata).brokers.size() == 1);
  CHECK(client.is_closed());
}

TEST_CASE("a frame may come in pieces, and several in one") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  std::vector<std::byte> frames;
  for (int i = 0; i < 3; ++i) {
    const auto frame = client.frame_of(protocol::MetadataRequest{}, kMetadata);
    frames.insert(frames.end(), frame.begin(), frame.end());
  }
  for (std::size_t at = 0; at < frames.size(); at += 7) {
    client.send_bytes(std::span(frames).subspan(at, std::min<std::size_t>(7, frames.size() - at)));
  }
  for (int i = 0; i < 3; ++i) client.receive<protocol::MetadataResponse>(kMetadata);
}

TEST_CASE("what cannot be served closes the connection, and only that one") {
  storage::MemFs fs;
  Machine machine(fs, {"socket.request.max.bytes=1000"});
  Client beside(machine);
  const auto closes = [&](const std::vector<std::byte>& bytes) {
    Client client(machine);
    client.send_bytes(bytes);
    return client.is_closed();
  };
  const auto closes_with_head = [&](std::size_t at, std::int16_t value) {
    auto frame = beside.frame_of(protocol::MetadataRequest{}, kMetadata);
    beside.expect_no_answer();
    protocol::store_big_endian(frame.data() + at, value);
    return closes(frame);
  };
  constexpr std::size_t kKeyAt = 4;
  constexpr std::size_t kVersionAt = 6;
  for (std::int16_t key : {-1, 4, 11, 999}) CHECK(closes_with_head(kKeyAt, key));
  for (std::int16_t version : {-1, 14, 99}) CHECK(closes_with_head(kVersionAt, version));
  for (std::int32_t length : {-1, 0, 3, 1001, 0x7FFFFFFF}) {
    INFO(length);
    std::vector<std::byte> frame = length_of(length);
    frame.resize(frame.size() + 8);
    CHECK(closes(frame));
  }
  CHECK(closes(bytes_of("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")));
  CHECK(closes(bytes_of("\x16\x03\x01\x02 and so on, as TLS begins")));
  // A body that breaks off within its frame.
  auto cut = beside.frame_of(stranger(), kHeartbeat);
  beside.expect_no_answer();
  cut.resize(cut.size() - 3);
  protocol::store_big_endian(cut.data(), static_cast<std::int32_t>(cut.size() - sizeof(std::int32_t)));
  CHECK(closes(cut));

  CHECK(beside.ask<protocol::MetadataResponse>(protocol::MetadataRequest{}, kMetadata).brokers.size() == 1);
}

TEST_CASE("a request as large as the limit is served") {
  storage::MemFs fs;
  Machine machine(fs, {"socket.request.max.bytes=100000"});
  Client client(machine);
  protocol::MetadataRequest request;
  request.allow_auto_topic_creation = false;
  auto& name = request.topics->emplace_back().name;
  name = Text("");
  const std::size_t empty = client.frame_of(request, 4).size() - sizeof(std::int32_t);
  client.expect_no_answer();
  // Names are at most 32 KiB long; several fill the frame.
  std::size_t room = 100'000 - empty;
  name = Text(std::string(30'000, 'n'));
  room -= 30'000;
  while (room > 0) {
    const std::size_t size = std::min<std::size_t>(room - 2, 30'000);
    request.topics->emplace_back().name = Text(std::string(size, 'n'));
    room -= size + 2;
  }
  const auto frame = client.frame_of(request, 4);
  REQUIRE(frame.size() == 100'000 + sizeof(std::int32_t));
  client.send_bytes(frame);
  CHECK(client.receive<protocol::MetadataResponse>(4).topics.at(0).error_code ==
        to_wire(ErrorCode::kInvalidTopicException));
}

TEST_CASE("a client that stops in the middle of a frame is closed, one that is merely silent is not") {
  storage::MemFs fs;
  Machine machine(fs, {"cohort.connections.stall.timeout.ms=1"});
  Client silent(machine);
  Client stuck(machine);
  const auto frame = stuck.frame_of(protocol::MetadataRequest{}, kMetadata);
  stuck.send_bytes(std::span(frame).first(frame.size() / 2));
  CHECK(stuck.is_closed());
  silent.send(protocol::MetadataRequest{}, kMetadata);
  CHECK(silent.receive<protocol::MetadataResponse>(kMetadata).brokers.size() == 1);
}

TEST_CASE("a client that goes in the middle of a frame or before its answers disturbs nobody") {
  storage::MemFs fs;
  Machine machine(fs);
  Client beside(machine);
  create_topic(beside, "t");
  for (int i = 0; i < 20; ++i) {
    Client client(machine);
    for (int repeat = 0; repeat < i; ++repeat) client.send(stranger(), kHeartbeat);
    const auto frame = client.frame_of(protocol::MetadataRequest{}, kMetadata);
    client.send_bytes(std::span(frame).first(frame.size() * static_cast<std::size_t>(i) / 20));
  }
  {
    // It waits for records when its connection goes.
    Client client(machine);
    protocol::FetchRequest request;
    request.min_bytes = 1;
    request.max_wait_ms = 3'600'000;
    auto& topic = request.topics.emplace_back();
    topic.topic = "t";
    topic.partitions.emplace_back().partition_max_bytes = 1 << 20;
    client.send(request, 12);
  }
  CHECK(produce(beside, "t", 0, batch_of(1)) == ErrorCode::kNone);
}

}  // namespace
}  // namespace cohort::app
