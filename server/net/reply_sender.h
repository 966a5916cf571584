// Sends encoded answers on a socket: bytes from memory, and records of a file by sendfile, which never come into this
// process. Owned by a connection, used on its reactor.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstddef>

#include "protocol/wire/response_buffer.h"

namespace cohort::net {

class ReplySender {
 public:
  enum class Outcome {
    kDone,    // all is with the system
    kNotYet,  // the socket takes no more now, or others must have their turn: wait until it is writable
    kFailed,  // the connection is broken, or records of a file are gone (a log was cut back): close it
  };

  // Precondition: in_flight() is 0. Takes all that `output` holds and gives it an empty buffer to go on with.
  void take(protocol::ResponseBuffer& output);
  // Bytes taken and not sent yet.
  std::size_t in_flight() const { return sending_.size() - sent_; }
  // Of this process, for what it took: a region of a file takes none.
  std::size_t memory() const { return sending_.memory(); }
  // Sends what the socket takes without blocking.
  Outcome send(boost::asio::ip::tcp::socket& socket);
  // Gives back what is kept for the next answers. Precondition: in_flight() is 0.
  void release_memory() { sending_ = {}; }

 private:
  std::size_t send_some(boost::asio::ip::tcp::socket& socket, boost::system::error_code& error);

  protocol::ResponseBuffer sending_;
  std::size_t sent_ = 0;        // in all
  std::size_t sent_bytes_ = 0;  // of sending_.bytes
  std::size_t attachment_ = 0;  // of sending_.attachments: the next one
  std::size_t sent_of_attachment_ = 0;
};

}  // namespace cohort::net
