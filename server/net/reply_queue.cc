#include "server/net/reply_queue.h"

#include "protocol/base/check.h"

namespace cohort::net {

bool ReplyQueue::may_open(bool overlaps, std::size_t in_flight) const {
  if (unsent_bytes() + in_flight >= kMaxUnsentBytes) return false;
  return slots_.empty() || (overlaps && !barrier_ && slots_.size() < kMaxOpen);
}

std::uint64_t ReplyQueue::open(bool overlaps) {
  barrier_ = !overlaps;
  slots_.emplace_back();
  return first_ + slots_.size() - 1;
}

protocol::ByteBuffer& ReplyQueue::begin(std::uint64_t sequence) {
  CHECK(sequence >= first_ && sequence - first_ < slots_.size() && !slot(sequence).done, "a request is answered twice");
  return sequence == first_ ? output_ : slot(sequence).early;
}

void ReplyQueue::end(std::uint64_t sequence) {
  slot(sequence).done = true;
  if (sequence != first_) {
    early_bytes_ += slot(sequence).early.size();
    return;
  }
  while (!slots_.empty() && slots_.front().done) {
    early_bytes_ -= slots_.front().early.size();
    output_.append(slots_.front().early.view());
    slots_.pop_front();
    ++first_;
  }
}

}  // namespace cohort::net
