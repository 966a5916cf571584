// A message between reactors: an intrusive node, so that a hop allocates nothing beyond the message itself. Owned by
// one unique_ptr at a time: the sender's, the mailbox's, and from delivery on the receiver's, who may keep it or send
// it on (a request travels to its shard and home again as the same object).
//
// Why not std::function in a queue: an allocation or two per hop, and the batch could not be linked in one step.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace cohort::reactor {

class Message {
 public:
  Message() = default;
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
  virtual ~Message() = default;

  // Runs on the thread of the reactor that it was sent to. `self` owns this object.
  virtual void deliver(std::unique_ptr<Message> self) = 0;

 private:
  friend class MessageStack;
  Message* next_ = nullptr;
};

// Messages linked newest first; owns them. The mailbox is such a stack too (with an atomic head), so a whole batch is
// handed over by linking its oldest message to the mailbox's newest. reverse() puts a taken batch in order of sending.
class MessageStack {
 public:
  MessageStack() = default;
  explicit MessageStack(Message* newest);  // takes over a linked chain
  MessageStack(MessageStack&& other) noexcept { swap(other); }
  MessageStack& operator=(MessageStack&& other) noexcept {
    swap(other);
    return *this;
  }
  ~MessageStack();

  bool empty() const { return top_ == nullptr; }
  std::size_t size() const { return size_; }
  void push(std::unique_ptr<Message> message);
  std::unique_ptr<Message> pop();  // the newest; after reverse() the oldest. Null when empty.
  void reverse();
  // Gives the chain up to the caller with its bottom linked to `below`; the caller owns it from here on.
  void link_bottom(Message* below) { bottom_->next_ = below; }
  Message* top() const { return top_; }
  void release() { top_ = bottom_ = nullptr, size_ = 0; }

 private:
  void swap(MessageStack& other) noexcept {
    std::swap(top_, other.top_);
    std::swap(bottom_, other.bottom_);
    std::swap(size_, other.size_);
  }

  Message* top_ = nullptr;
  Message* bottom_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cohort::reactor
