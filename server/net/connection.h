// One client connection: reads what the socket has, cuts frames, hands requests to the API table, sends answers in
// request order with one write per turn. Lives on one reactor and is touched by its thread alone. Kept alive by its
// registry, by I/O in flight and by open calls; close() cuts it off, what still holds it then finds a closed door.
//
// Why callbacks and not a coroutine: reading goes on for two reasons, new bytes and an answer that made room, and a
// coroutine would need a signal and a timer to be woken for the second. Both are equally fast (ARCHITECTURE.md).
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "protocol/base/time.h"
#include "server/api/api_table.h"
#include "server/api/call.h"
#include "server/net/frame_buffer.h"
#include "server/net/reply_queue.h"
#include "server/net/reply_sender.h"
#include "server/reactor/reactor.h"

namespace cohort::net {

// The same for all connections, which share it: a call may keep its connection beyond the end of the server.
struct ConnectionSettings {
  std::size_t max_request_bytes = 0;
  Duration max_idle{0};  // negative: never
  Duration stall_timeout{0};
  std::shared_ptr<MemoryBudget> budget;        // of requests
  std::shared_ptr<MemoryBudget> reply_memory;  // of answers
  const api::Services* services = nullptr;
};

class Connection final : public api::ReplyPort,
                         public reactor::EndOfTurn,
                         public std::enable_shared_from_this<Connection> {
 public:
  // socket: connected, made for this reactor's io_context. on_closed: runs once, on the reactor.
  Connection(reactor::Reactor& reactor, boost::asio::ip::tcp::socket socket, std::shared_ptr<const api::Peer> peer,
             std::shared_ptr<const ConnectionSettings> settings, std::function<void(Connection&)> on_closed);
  ~Connection() override;

  void start();
  // Takes no further request; answers are still sent.
  void stop_reading();
  // Every request is answered and every answer handed to the system.
  bool is_drained() const { return replies_.open_count() == 0 && replies_.unsent_bytes() + sender_.in_flight() == 0; }
  // Ends the connection without a word. Harmless when it is closed already.
  void close();
  // Looks at the deadlines: idle, no progress in writing, waiting for memory; a silent connection gives its buffers
  // back. Called about once a second.
  void check_deadlines(MonoTime now);

  protocol::ResponseBuffer* begin_reply(std::uint64_t sequence) override;
  void end_reply(std::uint64_t sequence) override;
  void refuse(std::string_view reason) override;
  void on_gone(std::move_only_function<void()> action) override { gone_ = std::move(action); }
  void on_end_of_turn() override;

 private:
  void read();
  void wait_for_bytes();
  bool may_start() const;
  void count_replies();
  void rest();
  void on_read(const boost::system::error_code& error, std::size_t count);
  void dispatch_frames();
  bool take_frame();
  void flush();
  bool send();
  void wait_writable();

  reactor::Reactor& reactor_;
  std::optional<boost::asio::ip::tcp::socket> socket_;  // gone as soon as it is closed: calls may outlive the reactor
  const std::shared_ptr<const api::Peer> peer_;
  const std::shared_ptr<const ConnectionSettings> settings_;
  std::function<void(Connection&)> on_closed_;
  std::move_only_function<void()> gone_;

  FrameBuffer input_;
  ReplyQueue replies_;
  ReplySender sender_;

  // A request that was cut and cannot start yet.
  std::optional<api::ParsedRequest> next_;
  std::shared_ptr<const void> next_frame_;

  bool open_ = true;
  bool taking_requests_ = true;
  bool reading_ = false;     // a read is in flight, or a wait for bytes
  bool resting_ = true;      // without buffers: the first bytes are waited for before memory is taken
  std::size_t counted_ = 0;  // of its answers' bytes, in reply_memory
  bool writing_ = false;     // the socket takes no more; a wait is in flight
  MonoTime last_activity_;
  MonoTime blocked_since_;  // of writing_
  std::optional<MonoTime> short_of_memory_since_;
};

}  // namespace cohort::net
