// One request of a client on its way through an API handler, and the answer owed for it.
// Made by `net` on the connection's reactor, moved into the handler and from there into whatever waits for the answer.
// reply() must be called on that same reactor, once; when the connection is gone it does nothing. A Call that is
// destroyed without an answer (the server stops) leaves the client without one.
//
// Why not a callback type per API: encoding needs version and correlation id anyway, and written straight into the
// connection's output buffer a reply costs no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/frame/response_frame.h"

namespace cohort::api {

struct ApiRow;
struct Services;

// Who is at the other end of a connection. Never changed; shared by its requests.
struct Peer {
  std::string client_host;   // as Kafka prints it: "/127.0.0.1"
  std::string address;       // "127.0.0.1:51234", for the log
  std::size_t listener = 0;  // index into Services::advertised
};

// Where answers go: a connection, seen from here. On the connection's reactor only.
class ReplyPort {
 public:
  virtual ~ReplyPort() = default;
  // Where the answer is to be appended, length and header included; null when the connection is gone.
  virtual protocol::ResponseBuffer* begin_reply(std::uint64_t sequence) = 0;
  virtual void end_reply(std::uint64_t sequence) = 0;
  // Closes the connection with one line in the log.
  virtual void refuse(std::string_view reason) = 0;
  // What to do when the connection goes before this request's answer. One at a time, for requests that are barriers.
  virtual void on_gone(std::move_only_function<void()> action) = 0;
};

class Call {
 public:
  struct Head {
    std::int16_t version = 0;
    std::int32_t correlation_id = 0;
    std::string_view client_id;  // into the frame: a Text could hold it inline and move with the call
  };

  Call(std::shared_ptr<ReplyPort> port, std::uint64_t sequence, const ApiRow& row, Head head,
       std::shared_ptr<const void> frame, std::shared_ptr<const Peer> peer, const Services& services)
      : port_(std::move(port)),
        sequence_(sequence),
        row_(&row),
        head_(head),
        frame_(std::move(frame)),
        peer_(std::move(peer)),
        services_(&services) {}

  std::int16_t version() const { return head_.version; }
  // Lives as long as frame().
  std::string_view client_id() const { return head_.client_id; }
  const Peer& peer() const { return *peer_; }
  const Services& services() const { return *services_; }
  // Keeps the bytes that the decoded request borrows from.
  const std::shared_ptr<const void>& frame() const { return frame_; }

  // The answer, in this request's version.
  template <typename Response>
  void reply(const Response& response) {
    if (protocol::ResponseBuffer* buffer = port_->begin_reply(sequence_)) {
      end_reply(protocol::write_response_frame(*buffer, head_.correlation_id, response, head_.version));
    }
  }
  // To ApiVersions of a version that is not known.
  void reply_unsupported_api_versions() {
    if (protocol::ResponseBuffer* buffer = port_->begin_reply(sequence_)) {
      protocol::write_unsupported_api_versions(*buffer, head_.correlation_id);
      port_->end_reply(sequence_);
    }
  }
  // Produce with acks=0 has no answer; the next requests' answers do not wait for one.
  void reply_nothing() {
    if (port_->begin_reply(sequence_) != nullptr) port_->end_reply(sequence_);
  }
  // The request cannot be answered at all (malformed): one line in the log, the connection is closed.
  void refuse(std::string_view reason) { port_->refuse(reason); }
  // For on_gone() after the call was moved into what waits.
  const std::shared_ptr<ReplyPort>& port() const { return port_; }

 private:
  void end_reply(const Result<void>& written);

  std::shared_ptr<ReplyPort> port_;
  std::uint64_t sequence_;
  const ApiRow* row_;
  Head head_;
  std::shared_ptr<const void> frame_;
  std::shared_ptr<const Peer> peer_;
  const Services* services_;
};

}  // namespace cohort::api
