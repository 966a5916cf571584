#include "server/reactor/reactor.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "protocol/base/check.h"

namespace cohort::reactor {
namespace {

// A turn of so many messages of a few microseconds stays near a millisecond; then I/O gets its chance.
constexpr std::size_t kMaxMessagesPerTurn = 256;

thread_local Reactor* t_current = nullptr;

}  // namespace

Now read_clocks() {
  const auto mono = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
  const auto wall = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  return Now{.mono = MonoTime(mono), .wall_ms = wall.count()};
}

EndOfTurn::~EndOfTurn() {
  if (waiting_on_ != nullptr) std::ranges::replace(waiting_on_->end_of_turn_, this, nullptr);
}

Reactor::Reactor(std::size_t index, std::size_t pool_size)
    : index_(index),
      io_(std::make_unique<boost::asio::io_context>(1)),
      outboxes_(pool_size),
      targets_(pool_size, nullptr) {
  CHECK(index < pool_size);
}

Reactor::~Reactor() {
  for (EndOfTurn* task : end_of_turn_) {
    if (task != nullptr) task->waiting_on_ = nullptr;
  }
  drop_undelivered();
}

void Reactor::drop_undelivered() {
  const MessageStack undelivered(mailbox_.exchange(nullptr, std::memory_order_acquire));
  const MessageStack ready = std::exchange(ready_, {});
  const std::vector<MessageStack> outboxes = std::exchange(outboxes_, std::vector<MessageStack>(outboxes_.size()));
}

Reactor* Reactor::current() {
  return t_current;
}

void Reactor::send(std::unique_ptr<Message> message) {
  Reactor* sender = t_current;
  CHECK(sender != nullptr, "send is for the threads of reactors; others post");
  sender->targets_[index_] = this;
  sender->outboxes_[index_].push(std::move(message));
  sender->end_turn_later();
}

void Reactor::post(std::unique_ptr<Message> message) {
  MessageStack batch;
  batch.push(std::move(message));
  accept(std::move(batch));
}

void Reactor::accept(MessageStack batch) {
  backlog_.fetch_add(batch.size(), std::memory_order_relaxed);
  Message* newest = mailbox_.load(std::memory_order_relaxed);
  do {
    batch.link_bottom(newest);
  } while (!mailbox_.compare_exchange_weak(newest, batch.top(), std::memory_order_release, std::memory_order_relaxed));
  batch.release();
  // Whoever finds it empty wakes; the others ride along.
  if (newest == nullptr) boost::asio::post(*io_, [this] { deliver_batch(); });
}

void Reactor::deliver_batch() {
  if (ready_.empty()) {
    MessageStack batch(mailbox_.exchange(nullptr, std::memory_order_acquire));
    batch.reverse();
    ready_ = std::move(batch);
  }
  batch_now_ = read_clocks();
  in_batch_ = true;
  std::size_t delivered = 0;
  while (delivered < kMaxMessagesPerTurn) {
    std::unique_ptr<Message> message = ready_.pop();
    if (message == nullptr) break;
    Message& target = *message;
    target.deliver(std::move(message));
    ++delivered;
  }
  backlog_.fetch_sub(delivered, std::memory_order_relaxed);
  // The rest waits for the next turn. One handler is queued for it and one for a mailbox that is not empty; which of
  // them finds which does not matter.
  if (!ready_.empty()) boost::asio::post(*io_, [this] { deliver_batch(); });
  end_turn();
  in_batch_ = false;
}

void Reactor::end_turn_later() {
  if (in_batch_ || end_queued_) return;
  end_queued_ = true;
  // From the own thread this takes no lock, and lines up behind the handlers that are ready now.
  boost::asio::post(*io_, [this] { end_turn(); });
}

void Reactor::end_turn() {
  // By index: a task may ask for another one. A destroyed task left a null behind.
  for (std::size_t i = 0; i < end_of_turn_.size(); ++i) {
    EndOfTurn* task = std::exchange(end_of_turn_[i], nullptr);
    if (task == nullptr) continue;
    task->waiting_on_ = nullptr;
    task->on_end_of_turn();
  }
  end_of_turn_.clear();
  end_queued_ = false;
  for (std::size_t i = 0; i < outboxes_.size(); ++i) {
    if (!outboxes_[i].empty()) targets_[i]->accept(std::move(outboxes_[i]));
  }
}

void Reactor::at_end_of_turn(EndOfTurn& task) {
  if (task.waiting_on_ != nullptr) return;
  task.waiting_on_ = this;
  end_of_turn_.push_back(&task);
  end_turn_later();
}

void Reactor::run() {
  t_current = this;
  const auto guard = boost::asio::make_work_guard(*io_);
  io_->run();
  t_current = nullptr;
}

void Reactor::stop() {
  io_->stop();
}

}  // namespace cohort::reactor
