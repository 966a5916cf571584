#include "server/net/reply_queue.h"

#include <algorithm>
#include <utility>

#include "protocol/base/check.h"

namespace cohort::net {
namespace {

constexpr std::size_t kFirstSlots = 4;
constexpr std::size_t kKeptEarlyBytes = 1024;  // a larger buffer of an early answer is given back

}  // namespace

bool ReplyQueue::may_open(bool overlaps, std::size_t in_flight) const {
  if (unsent_bytes() + in_flight >= kMaxUnsentBytes) return false;
  return first_ == next_ || (overlaps && !barrier_ && open_count() < kMaxOpen);
}

std::uint64_t ReplyQueue::open(bool overlaps) {
  barrier_ = !overlaps;
  if (open_count() == slots_.size()) make_room();
  slot(next_).done = false;
  return next_++;
}

void ReplyQueue::make_room() {
  std::vector<Slot> larger(std::max(kFirstSlots, slots_.size() * 2));
  for (std::uint64_t sequence = first_; sequence < next_; ++sequence) {
    larger[static_cast<std::size_t>(sequence) & (larger.size() - 1)] = std::move(slot(sequence));
  }
  slots_ = std::move(larger);
}

protocol::ResponseBuffer& ReplyQueue::begin(std::uint64_t sequence) {
  CHECK(sequence >= first_ && sequence < next_ && !slot(sequence).done, "a request is answered twice");
  return sequence == first_ ? output_ : slot(sequence).early;
}

void ReplyQueue::end(std::uint64_t sequence) {
  slot(sequence).done = true;
  if (sequence != first_) {
    early_bytes_ += slot(sequence).early.size();
    return;
  }
  for (; first_ < next_ && slot(first_).done; ++first_) {
    protocol::ResponseBuffer& early = slot(first_).early;
    early_bytes_ -= early.size();
    output_.take_all(early);
    if (early.bytes.capacity() > kKeptEarlyBytes) early.bytes = {};
  }
}

void ReplyQueue::release_memory() {
  slots_ = std::vector<Slot>();
  output_.bytes = {};
}

}  // namespace cohort::net
