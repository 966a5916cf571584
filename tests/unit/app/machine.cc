#include "tests/unit/app/machine.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>

#include "protocol/batch/batch_builder.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "server/app/backend.h"
#include "server/net/server.h"

namespace cohort::app {
namespace {

constexpr std::chrono::seconds kPatience{20};  // far above what a loaded machine needs

}  // namespace

struct Machine::Parts {
  config::Loaded loaded;
  Backend backend;
  std::unique_ptr<net::Server> network = nullptr;  // made when the backend is open

  Parts(storage::MemFs& disk, const std::vector<std::string>& overrides)
      : loaded(config::load(std::nullopt, overrides).value()), backend(loaded, disk, 10'000) {}
};

Machine::Machine(storage::MemFs& disk, std::vector<std::string> overrides) {
  overrides.insert(overrides.begin(), {"log.dirs=/data", "offsets.topic.num.partitions=2", "cohort.reactors=2",
                                       "listeners=PLAINTEXT://127.0.0.1:0"});
  parts_ = std::make_unique<Parts>(disk, overrides);
  Backend& backend = parts_->backend;
  REQUIRE(backend.open().has_value());
  parts_->network = std::make_unique<net::Server>(backend.reactors(), parts_->loaded.config.net, backend.services());
  REQUIRE(parts_->network->listen().has_value());
  backend.services().advertised.push_back({.host = "127.0.0.1", .port = port()});
  backend.start();
  parts_->network->start();
  wait_until_loaded();
}

Machine::~Machine() {
  parts_->network->stop();
  CHECK(parts_->backend.stop(kPatience).has_value());
}

std::uint16_t Machine::port() const {
  return parts_->network->ports().front();
}

// As a client does it: asks again while a shard still reads its log.
void Machine::wait_until_loaded() {
  Client client(*this);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    const auto groups = client.ask<protocol::ListGroupsResponse>(protocol::ListGroupsRequest{}, 5);
    if (groups.error_code == to_wire(ErrorCode::kNone)) return;
    REQUIRE(groups.error_code == to_wire(ErrorCode::kCoordinatorLoadInProgress));
    REQUIRE(std::chrono::steady_clock::now() < deadline);
  }
}

Client::Client(const Machine& machine) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  REQUIRE(socket_ >= 0);
  const timeval patience{.tv_sec = kPatience.count(), .tv_usec = 0};
  const int on = 1;
  REQUIRE(::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0);
  REQUIRE(::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(machine.port());
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

Client::~Client() {
  ::close(socket_);
}

void Client::begin_request(protocol::ByteWriter& writer, std::int16_t key, std::int16_t version, bool flexible) {
  writer.int32(0);  // the length, known at the end
  writer.int16(key);
  writer.int16(version);
  writer.int32(++asked_);
  writer.string("test", false);
  if (flexible) writer.int8(0);  // no tagged fields
}

void Client::send_bytes(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    REQUIRE(count > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::vector<std::byte> Client::receive_frame() {
  const auto receive = [this](std::size_t size) {
    std::vector<std::byte> bytes(size);
    REQUIRE(::recv(socket_, bytes.data(), size, MSG_WAITALL) == static_cast<ssize_t>(size));
    return bytes;
  };
  const std::vector<std::byte> length = receive(sizeof(std::int32_t));
  return receive(static_cast<std::size_t>(protocol::load_big_endian<std::int32_t>(length.data())));
}

bool Client::is_closed() {
  std::byte next{};
  const ssize_t count = ::recv(socket_, &next, 1, 0);
  return count == 0 || (count < 0 && errno == ECONNRESET);
}

void Client::end_sending() {
  REQUIRE(::shutdown(socket_, SHUT_WR) == 0);
}

protocol::Uuid create_topic(Client& client, const std::string& name, std::int32_t partitions,
                            const std::vector<std::pair<std::string, std::string>>& configs) {
  protocol::CreateTopicsRequest request;
  request.timeout_ms = 1000;
  auto& topic = request.topics.emplace_back();
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = -1;
  for (const auto& [key, value] : configs) {
    auto& config = topic.configs.emplace_back();
    config.name = key;
    config.value = Text(value);
  }
  const auto response = client.ask<protocol::CreateTopicsResponse>(request, 7);
  REQUIRE(response.topics.size() == 1);
  REQUIRE(response.topics[0].error_code == to_wire(ErrorCode::kNone));
  return response.topics[0].topic_id;
}

void delete_topic(Client& client, const std::string& name) {
  protocol::DeleteTopicsRequest request;
  request.topics.emplace_back().name = Text(name);
  const auto response = client.ask<protocol::DeleteTopicsResponse>(request, 6);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].error_code == to_wire(ErrorCode::kNone));
}

std::vector<std::byte> batch_of(int records, std::int64_t timestamp_ms, std::size_t value_bytes) {
  protocol::BatchBuilder builder;
  builder.start();
  const std::vector<std::byte> value(value_bytes, std::byte{'v'});
  for (int i = 0; i < records; ++i) builder.append(timestamp_ms + i, std::nullopt, value);
  const auto bytes = builder.finish();
  REQUIRE(bytes.has_value());
  return {bytes->begin(), bytes->end()};
}

ErrorCode produce(Client& client, const std::string& topic, std::int32_t partition, std::vector<std::byte> batch) {
  protocol::ProduceRequest request;
  request.acks = -1;
  request.timeout_ms = 1000;
  auto& data = request.topic_data.emplace_back();
  data.name = topic;
  auto& one = data.partition_data.emplace_back();
  one.index = partition;
  one.records = protocol::Bytes::own(std::move(batch));
  const auto response = client.ask<protocol::ProduceResponse>(request, 12);
  REQUIRE(response.responses.size() == 1);
  REQUIRE(response.responses[0].partition_responses.size() == 1);
  return static_cast<ErrorCode>(response.responses[0].partition_responses[0].error_code);
}

}  // namespace cohort::app
