// From bytes as they come to whole frames (int32 length, then as many bytes), without copying the frames: they borrow
// from the chunk that was read into and keep it alive. Owned by a connection, used on its reactor; frames may be
// dropped on any thread.
//
// A chunk grows with the bytes received, never by the length that a client announces; what all connections together
// hold is counted against one budget. A chunk nobody borrows from is used again, so a steady client costs no
// allocation.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "protocol/base/result.h"

namespace cohort::net {

// Bytes that buffers of all connections may hold together. Any thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::int64_t limit) : limit_(limit) {}
  // False and nothing taken when it is too much.
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes) { used_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed); }
  std::int64_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t limit_;
  std::atomic<std::int64_t> used_{0};
};

struct Frame {
  std::span<const std::byte> bytes;  // without the length
  std::shared_ptr<const void> owner;
};

class FrameBuffer {
 public:
  // max_frame: of one frame without its length, > 0.
  FrameBuffer(std::shared_ptr<MemoryBudget> budget, std::size_t max_frame);
  ~FrameBuffer();

  // Where the next bytes go; empty when the budget is used up. Call commit() with how many came.
  std::span<std::byte> prepare();
  void commit(std::size_t count) { end_ += count; }

  // After next() gave no frame: some bytes of one are here.
  bool has_partial() const { return pending() > 0; }
  // The next whole frame; nullopt: more bytes are needed. An error (negative length, above the limit) is final.
  Result<std::optional<Frame>> next();

 private:
  class Chunk;
  std::size_t pending() const { return end_ - begin_; }
  std::size_t announced() const;  // whole size of the frame at the front with its length, 0 when not known yet
  std::size_t wanted_capacity() const;
  bool reuse();

  std::shared_ptr<MemoryBudget> budget_;
  const std::size_t max_frame_;
  std::shared_ptr<Chunk> chunk_;
  std::size_t begin_ = 0;       // first byte that belongs to no frame yet
  std::size_t end_ = 0;         // behind the last byte received
  std::size_t usual_size_ = 0;  // of this client's frames, falls slowly
};

}  // namespace cohort::net
