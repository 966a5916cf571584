// From bytes as they come to whole frames (int32 length, then as many bytes), without copying the frames: they borrow
// from the chunk that was read into and keep it alive. Owned by a connection, used on its reactor; frames may be
// dropped on any thread.
//
// A chunk grows with the bytes received, never by the length that a client announces; what all connections together
// hold is counted against one budget. A first small chunk is had even when it is used up, so that a heartbeat comes
// through while others fill the memory with large requests. A chunk nobody borrows from is used again, so a steady
// client costs no allocation; of one that is silent it can be given back.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>

#include "protocol/base/memory_budget.h"
#include "protocol/base/result.h"

namespace cohort::net {

struct Frame {
  std::span<const std::byte> bytes;  // without the length
  std::shared_ptr<const void> owner;
};

class FrameBuffer {
 public:
  // max_frame: of one frame without its length, > 0.
  FrameBuffer(std::shared_ptr<MemoryBudget> budget, std::size_t max_frame);
  ~FrameBuffer();

  // Where the next bytes go; empty when the budget is used up and the small chunk is too. Call commit() with how many
  // came.
  std::span<std::byte> prepare();
  void commit(std::size_t count) { end_ += count; }

  // Gives the memory back when no bytes of a request are here.
  void release();

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
