// One connection of the load generator: sends requests ahead of their answers and says how long each took. Not
// thread-safe. Any error ends the program: a figure made beside errors is worth nothing.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "protocol/frame/request_header.h"
#include "protocol/messages/request_header.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::load {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& why);

class Connection {
 public:
  // host:port; blocks until it is there.
  explicit Connection(const std::string& bootstrap);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return socket_; }
  std::size_t in_flight() const { return sent_.size(); }

  // Appends a request for `job`; flush() sends it.
  template <typename Request>
  void add(std::size_t job, const Request& request, std::int16_t version) {
    const std::size_t begin = output_.size();
    protocol::ByteWriter writer(output_);
    const bool flexible = version >= Request::kFirstFlexible;
    writer.int32(0);
    write(writer,
          protocol::RequestHeader{.request_api_key = Request::kApiKey,
                                  .request_api_version = version,
                                  .correlation_id = static_cast<std::int32_t>(next_++),
                                  .client_id = "load"},
          flexible ? 2 : 1);
    write(writer, request, version);
    if (!writer.ok()) give_up(writer.reason());
    writer.patch_int32(begin, static_cast<std::int32_t>(output_.size() - begin - sizeof(std::int32_t)));
    sent_.push_back({job, Clock::now()});
  }
  void flush();

  struct Answer {
    std::size_t job;
    Clock::duration took;
    std::span<const std::byte> bytes;  // from the correlation id on
  };
  // Calls on_answer for what has come; does not block.
  void receive(const std::function<void(const Answer&)>& on_answer);

 private:
  struct Sent {
    std::size_t job;
    Clock::time_point at;
  };

  int socket_;
  std::uint32_t next_ = 0;
  std::deque<Sent> sent_;  // oldest first
  protocol::ByteBuffer output_;
  std::vector<std::byte> input_;
  std::size_t input_end_ = 0;
};

// The body of an answer. Throws nothing, gives up when it is not one.
template <typename Response>
Response body_of(std::span<const std::byte> bytes, std::int16_t version) {
  protocol::ByteReader reader(bytes);
  reader.int32();
  if (version >= Response::kFirstFlexible) reader.int8();
  Response response;
  read(reader, response, version);
  if (!reader.finish()) give_up("an answer that cannot be read");
  return response;
}

}  // namespace cohort::load
