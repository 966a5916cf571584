#include "server/net/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"

namespace cohort::net {
namespace {

namespace asio = boost::asio;
constexpr std::string_view kConnection = "Connection";
constexpr Duration kQuietAfter{1'000};          // then it may stay so, and keeps no memory that it does not use
constexpr Duration kShortOfMemoryStall{1'000};  // a client that takes no bytes may hold memory that others need so long

}  // namespace

Connection::Connection(reactor::Reactor& reactor, asio::ip::tcp::socket socket, std::shared_ptr<const api::Peer> peer,
                       std::shared_ptr<const ConnectionSettings> settings, std::function<void(Connection&)> on_closed)
    : reactor_(reactor),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      settings_(std::move(settings)),
      on_closed_(std::move(on_closed)),
      input_(settings_->budget, settings_->max_request_bytes),
      last_activity_(reactor.now().mono) {}

Connection::~Connection() {
  settings_->reply_memory->give_back(counted_);
}

void Connection::start() {
  boost::system::error_code ignored;
  socket_->set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_->non_blocking(true, ignored);
  wait_for_bytes();
}

void Connection::close() {
  if (!open_) return;
  open_ = false;
  socket_.reset();
  next_.reset();
  next_frame_.reset();
  if (auto gone = std::exchange(gone_, nullptr)) gone();
  if (auto closed = std::exchange(on_closed_, nullptr)) closed(*this);
}

void Connection::stop_reading() {
  taking_requests_ = false;
  next_.reset();
  next_frame_.reset();
}

void Connection::refuse(std::string_view reason) {
  if (!open_) return;
  log::warn(kConnection, "Closing the connection of {}: {}", peer_->address, reason);
  close();
}

void Connection::check_deadlines(MonoTime now) {
  if (!open_) return;
  const bool idle = is_drained();
  if (writing_ && now - blocked_since_ >= settings_->stall_timeout) {
    refuse("it takes no more bytes of its answers");
  } else if (writing_ && now - blocked_since_ >= kShortOfMemoryStall && settings_->reply_memory->available() == 0) {
    refuse("it takes no bytes of its answers, and the memory for answers is used up (cohort.queued.max.reply.bytes)");
  } else if (short_of_memory_since_) {
    read();
    if (short_of_memory_since_ && now - *short_of_memory_since_ >= settings_->stall_timeout) {
      refuse("no memory for its request (queued.max.request.bytes)");
    }
  } else if (reading_ && input_.has_partial() && now - last_activity_ >= settings_->stall_timeout) {
    refuse("it stopped in the middle of a request");
  } else if (idle && settings_->max_idle.count() >= 0 && now - last_activity_ >= settings_->max_idle) {
    log::debug(kConnection, "Closing the idle connection of {}", peer_->address);
    close();
  } else if (idle && reading_ && !resting_ && !input_.has_partial() && now - last_activity_ >= kQuietAfter) {
    rest();
  } else if (next_ && may_start()) {
    on_end_of_turn();  // there is memory for its answer now
  }
}

// ---- reading ----

// Ends the read in flight, whose buffer is needed no longer; on_read() goes on from there.
void Connection::rest() {
  resting_ = true;
  boost::system::error_code ignored;
  socket_->cancel(ignored);
}

// A connection that sends nothing holds no buffer.
void Connection::wait_for_bytes() {
  CHECK(is_drained(), "answers keep their buffers until they are sent");
  input_.release();
  sender_.release_memory();
  replies_.release_memory();
  reading_ = true;
  socket_->async_wait(asio::ip::tcp::socket::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->reading_ = false;
                        self->resting_ = false;
                        if (!self->open_) return;
                        if (error) {
                          self->close();
                        } else {
                          self->read();
                        }
                      });
}

void Connection::read() {
  if (!open_ || !taking_requests_ || reading_ || next_) return;
  const std::span<std::byte> room = input_.prepare();
  if (room.empty()) {
    if (!short_of_memory_since_) short_of_memory_since_ = reactor_.now().mono;
    return;
  }
  short_of_memory_since_.reset();
  reading_ = true;
  socket_->async_read_some(asio::buffer(room.data(), room.size()),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
                             self->on_read(error, count);
                           });
}

void Connection::on_read(const boost::system::error_code& error, std::size_t count) {
  reading_ = false;
  if (!open_) return;
  if (error == asio::error::operation_aborted && resting_) {
    wait_for_bytes();
    return;
  }
  resting_ = false;
  if (error) {
    close();
    return;
  }
  if (!taking_requests_) return;
  last_activity_ = reactor_.now().mono;
  input_.commit(count);
  dispatch_frames();
  read();
}

// Cuts the next frame into next_. False: more bytes are needed, or the connection was refused.
bool Connection::take_frame() {
  auto frame = input_.next();
  if (!frame) {
    refuse(frame.error().message);
    return false;
  }
  if (!*frame) return false;
  auto parsed = api::parse_request((*frame)->bytes);
  if (!parsed) {
    refuse(parsed.error().message);
    return false;
  }
  next_ = *std::move(parsed);
  next_frame_ = std::move((*frame)->owner);
  return true;
}

void Connection::dispatch_frames() {
  while (open_ && taking_requests_ && (next_ || take_frame())) {
    if (!may_start()) return;
    const std::uint64_t sequence = replies_.open(next_->overlaps);
    const api::ParsedRequest request = *std::exchange(next_, std::nullopt);
    request.handle(api::Call(shared_from_this(), sequence, *request.row, request.head, std::move(next_frame_), peer_,
                             *settings_->services),
                   request.body);
  }
}

// Answers of requests that overlap are small.
bool Connection::may_start() const {
  return replies_.may_open(next_->overlaps, sender_.in_flight()) &&
         (next_->overlaps || settings_->reply_memory->available() > 0);
}

// ---- answering ----

void Connection::count_replies() {
  const std::size_t now = replies_.unsent_memory() + sender_.memory();
  if (now > counted_) settings_->reply_memory->add(now - counted_);
  if (now < counted_) settings_->reply_memory->give_back(counted_ - now);
  counted_ = now;
}

protocol::ResponseBuffer* Connection::begin_reply(std::uint64_t sequence) {
  return open_ ? &replies_.begin(sequence) : nullptr;
}

void Connection::end_reply(std::uint64_t sequence) {
  gone_ = nullptr;
  replies_.end(sequence);
  count_replies();
  reactor_.at_end_of_turn(*this);
}

void Connection::on_end_of_turn() {
  const auto self = shared_from_this();
  // Sent answers make room for requests that wait, whose answers may be there at once.
  do {
    dispatch_frames();
    flush();
  } while (open_ && next_ && may_start());
  read();
}

void Connection::flush() {
  while (open_ && !writing_ && !replies_.output().empty()) {
    sender_.take(replies_.output());
    if (!send()) return;
  }
}

// True: all that was taken is gone.
bool Connection::send() {
  switch (sender_.send(*socket_)) {
    case ReplySender::Outcome::kDone:
      count_replies();
      last_activity_ = reactor_.now().mono;
      return true;
    case ReplySender::Outcome::kNotYet:
      wait_writable();
      return false;
    case ReplySender::Outcome::kFailed:
      close();
      return false;
  }
  return false;
}

void Connection::wait_writable() {
  writing_ = true;
  blocked_since_ = reactor_.now().mono;
  socket_->async_wait(asio::ip::tcp::socket::wait_write,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        self->writing_ = false;
                        if (!self->open_) return;
                        if (error) {
                          self->close();
                        } else if (self->send()) {
                          self->on_end_of_turn();
                        }
                      });
}

}  // namespace cohort::net
