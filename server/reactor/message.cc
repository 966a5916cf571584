#include "server/reactor/message.h"

namespace cohort::reactor {

MessageStack::MessageStack(Message* newest) : top_(newest) {
  for (Message* message = newest; message != nullptr; message = message->next_) {
    bottom_ = message;
    ++size_;
  }
}

MessageStack::~MessageStack() {
  while (pop() != nullptr) {
  }
}

void MessageStack::push(std::unique_ptr<Message> message) {
  message->next_ = top_;
  top_ = message.release();
  if (bottom_ == nullptr) bottom_ = top_;
  ++size_;
}

std::unique_ptr<Message> MessageStack::pop() {
  if (top_ == nullptr) return nullptr;
  std::unique_ptr<Message> message(top_);
  top_ = std::exchange(message->next_, nullptr);
  if (top_ == nullptr) bottom_ = nullptr;
  --size_;
  return message;
}

void MessageStack::reverse() {
  Message* reversed = nullptr;
  bottom_ = top_;
  while (top_ != nullptr) {
    Message* below = top_->next_;
    top_->next_ = reversed;
    reversed = top_;
    top_ = below;
  }
  top_ = reversed;
}

}  // namespace cohort::reactor
