// A whole server on a disk in memory, and clients that speak to it in typed messages through sockets. A test makes a
// disk, a machine on it and as many clients as it needs; a second machine on the same disk is a restart. Nothing waits
// by the clock: a client blocks until the server answers, and fails the test when it never does.
#pragma once

#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/messages/api_list.h"
#include "protocol/types/error_code.h"
#include "protocol/types/uuid.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"
#include "protocol/wire/text.h"
#include "server/storage/mem_fs.h"

namespace cohort::app {

using protocol::ErrorCode;
using protocol::Text;
using protocol::to_wire;

class Machine {
 public:
  // Returns when all groups are loaded. overrides: "key=value", as cohortd takes them.
  explicit Machine(storage::MemFs& disk, std::vector<std::string> overrides = {});
  ~Machine();

  std::uint16_t port() const;

 private:
  void wait_until_loaded();

  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// One connection. Requests may be sent ahead of the answers that are read.
class Client {
 public:
  explicit Client(const Machine& machine);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  template <typename Response, typename Request>
  Response ask(const Request& request, std::int16_t version) {
    send(request, version);
    return receive<Response>(version);
  }

  template <typename Request>
  void send(const Request& request, std::int16_t version) {
    send_bytes(frame_of(request, version));
  }
  // The next answer, which must be the one to the oldest request that has none yet.
  template <typename Response>
  Response receive(std::int16_t version) {
    const std::vector<std::byte> frame = receive_frame();
    protocol::ByteReader reader(frame);
    REQUIRE(reader.int32() == ++answered_);
    // Only the answer to ApiVersions has the old header in every version.
    const bool flexible = version >= Response::kFirstFlexible && Response::kApiKey != kApiVersionsKey;
    if (flexible) REQUIRE(reader.int8() == 0);
    Response borrowed;
    read(reader, borrowed, version);
    REQUIRE(reader.finish().has_value());
    const Response& owned = borrowed;
    return owned;  // a copy: what was read points into the frame
  }

  // A request as it goes over the wire, with its length.
  template <typename Request>
  std::vector<std::byte> frame_of(const Request& request, std::int16_t version) {
    protocol::ByteBuffer buffer;
    protocol::ByteWriter writer(buffer);
    begin_request(writer, Request::kApiKey, version, version >= Request::kFirstFlexible);
    write(writer, request, version);
    REQUIRE(writer.status().has_value());
    writer.patch_int32(0, static_cast<std::int32_t>(buffer.size() - sizeof(std::int32_t)));
    return {buffer.view().begin(), buffer.view().end()};
  }
  // The oldest request that has no answer gets none (acks=0).
  void expect_no_answer() { ++answered_; }
  void send_bytes(std::span<const std::byte> bytes);
  std::vector<std::byte> receive_frame();
  // Waits until the server closes the connection; false when it sends something instead.
  bool is_closed();
  // Nothing more comes from here; what was asked is still answered.
  void end_sending();

 private:
  static constexpr std::int16_t kApiVersionsKey = 18;

  void begin_request(protocol::ByteWriter& writer, std::int16_t key, std::int16_t version, bool flexible);

  int socket_;
  std::int32_t asked_ = 0;  // correlation ids are numbers from 1
  std::int32_t answered_ = 0;
};

// What many tests begin with.
protocol::Uuid create_topic(Client& client, const std::string& name, std::int32_t partitions = 1,
                            const std::vector<std::pair<std::string, std::string>>& configs = {});
void delete_topic(Client& client, const std::string& name);
// A batch of so many records, times counted from timestamp_ms.
std::vector<std::byte> batch_of(int records, std::int64_t timestamp_ms = 1000, std::size_t value_bytes = 10);
// acks=all to one partition; the error.
ErrorCode produce(Client& client, const std::string& topic, std::int32_t partition, std::vector<std::byte> batch);

}  // namespace cohort::app
