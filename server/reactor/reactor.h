// One event loop on one thread: an io_context, a mailbox, an outbox per other reactor. Connections, shards and topic
// partitions live on exactly one reactor and are touched by its thread alone, so nothing of theirs is locked.
// Owned by ReactorPool; outlives everything that lives on it.
//
// A turn is what happens between two looks at the outboxes: the delivery of a batch of messages, or the I/O handlers
// that became ready together. At its end the reactor first runs what asked for at_end_of_turn (a shard starts its
// write, a connection its output), then hands each outbox over as one batch: one wake-up per target and turn, however
// many messages. Nobody has to open or close a turn: the first send of an I/O handler queues the end of the turn behind
// the handlers that are ready by then. An RAII scope around a read would be wrong in a coroutine, which can suspend
// inside it.
//
// Why not post each message: measured with heartbeat-sized messages, see tests/bench/hop_bench.cc; a wake-up costs far
// more than a message.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "protocol/base/time.h"
#include "server/reactor/message.h"

namespace boost::asio {
class io_context;
}

namespace cohort::reactor {

class Reactor;

// The clocks. Reactor::now() is this, but the same for all messages of one batch.
Now read_clocks();

// Something to do once at the end of the present turn. Lives on one reactor; may be destroyed while it waits there.
class EndOfTurn {
 public:
  EndOfTurn() = default;
  EndOfTurn(const EndOfTurn&) = delete;
  EndOfTurn& operator=(const EndOfTurn&) = delete;
  virtual ~EndOfTurn();
  virtual void on_end_of_turn() = 0;

 private:
  friend class Reactor;
  Reactor* waiting_on_ = nullptr;  // set while queued
};

class Reactor {
 public:
  // index: its place in the pool of `pool_size` reactors.
  Reactor(std::size_t index, std::size_t pool_size);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();  // drops messages that were never delivered

  // The reactor whose thread this is; null on every other thread.
  static Reactor* current();
  std::size_t index() const { return index_; }
  boost::asio::io_context& io() { return *io_; }

  // Delivers the message here. Call from the thread of a reactor of the same pool: it leaves at the end of that turn,
  // in order of sending. Sending to the own reactor is the same; it is never delivered inside the call.
  void send(std::unique_ptr<Message> message);
  // Delivers the message here; from any thread, at once. What log threads and workers use.
  void post(std::unique_ptr<Message> message);
  // The same with a callable, which allocates: for start, stop and administration.
  template <typename F>
    requires std::is_invocable_v<F&>
  void send(F function);
  template <typename F>
    requires std::is_invocable_v<F&>
  void post(F function);

  // Messages that wait here, about; from any thread. Senders whose requests may be refused look at it first: that, and
  // the open requests that a connection may have, bound the mailbox.
  std::size_t backlog() const { return backlog_.load(std::memory_order_relaxed); }

  // On the own thread from here on.
  void at_end_of_turn(EndOfTurn& task);  // once, however often it is asked for
  Now now() const { return in_batch_ ? batch_now_ : read_clocks(); }

  // Runs until stop(). Called by the pool's thread.
  void run();
  void stop();  // from any thread
  // Destroys the messages that were never delivered. Nobody runs it or sends to it any more.
  void drop_undelivered();

 private:
  friend class EndOfTurn;

  void accept(MessageStack batch);  // any thread
  void deliver_batch();
  void end_turn_later();
  void end_turn();

  const std::size_t index_;
  std::unique_ptr<boost::asio::io_context> io_;

  // Written by every thread.
  alignas(64) std::atomic<Message*> mailbox_{nullptr};
  std::atomic<std::size_t> backlog_{0};

  // The own thread's.
  alignas(64) MessageStack ready_;  // taken from the mailbox, oldest first, not yet delivered
  std::vector<MessageStack> outboxes_;  // by index of the target
  std::vector<Reactor*> targets_;       // by index; where outboxes with something in it go
  std::vector<EndOfTurn*> end_of_turn_;
  bool end_queued_ = false;
  bool in_batch_ = false;
  Now batch_now_;
};

namespace detail {
template <typename F>
class FunctionMessage final : public Message {
 public:
  explicit FunctionMessage(F function) : function_(std::move(function)) {}
  void deliver(std::unique_ptr<Message>) override { function_(); }

 private:
  F function_;
};
}  // namespace detail

template <typename F>
  requires std::is_invocable_v<F&>
void Reactor::send(F function) {
  send(std::unique_ptr<Message>(std::make_unique<detail::FunctionMessage<F>>(std::move(function))));
}
template <typename F>
  requires std::is_invocable_v<F&>
void Reactor::post(F function) {
  post(std::unique_ptr<Message>(std::make_unique<detail::FunctionMessage<F>>(std::move(function))));
}

}  // namespace cohort::reactor
