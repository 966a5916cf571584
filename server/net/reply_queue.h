// The answers that a connection owes, in the order of the requests. Pure bookkeeping: which request may start, where an
// answer is written, which bytes may be sent. Owned by a connection, used on its reactor.
//
// Kafka works on one request of a connection at a time. Here requests whose API says so overlap (heartbeats, commits,
// produce): their effects do not depend on each other's answers, and those are small. Any other is a barrier on both
// sides. Answers never overtake each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/wire/response_buffer.h"

namespace cohort::net {

class ReplyQueue {
 public:
  static constexpr std::size_t kMaxOpen = 64;
  static constexpr std::size_t kMaxUnsentBytes = 1024 * 1024;  // one answer may exceed it

  // in_flight: bytes handed to the socket that it has not taken yet.
  bool may_open(bool overlaps, std::size_t in_flight) const;
  // A request starts. Its number is good until its answer ended.
  std::uint64_t open(bool overlaps);

  // Where the answer to this request is to be appended. Nothing else may be called until end().
  protocol::ResponseBuffer& begin(std::uint64_t sequence);
  void end(std::uint64_t sequence);

  // What may be sent: the answers up to the first that is missing. The caller takes them (swap, clear).
  protocol::ResponseBuffer& output() { return output_; }
  std::size_t open_count() const { return static_cast<std::size_t>(next_ - first_); }
  std::size_t unsent_bytes() const { return output_.size() + early_bytes_; }
  // Of this process, for them.
  std::size_t unsent_memory() const { return output_.memory() + early_bytes_; }
  // Gives back what is kept for the next requests. Precondition: no request is open, output() is empty.
  void release_memory();

 private:
  struct Slot {
    protocol::ResponseBuffer early;  // an answer that came before its turn; its memory serves the next one
    bool done = false;
  };
  Slot& slot(std::uint64_t sequence) { return slots_[static_cast<std::size_t>(sequence) & (slots_.size() - 1)]; }
  void make_room();

  std::vector<Slot> slots_;  // a ring of open requests, first_ to next_; its size is a power of two
  std::uint64_t first_ = 0;
  std::uint64_t next_ = 0;
  bool barrier_ = false;  // the only open request is one that does not overlap
  std::size_t early_bytes_ = 0;
  protocol::ResponseBuffer output_;
};

}  // namespace cohort::net
