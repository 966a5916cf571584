#include "server/net/frame_buffer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "protocol/wire/big_endian.h"

namespace cohort::net {
namespace {

constexpr std::size_t kLengthSize = 4;
constexpr std::size_t kFirstChunk = 4096;
constexpr std::size_t kLeastRead = 512;             // less room than this is not worth a system call
constexpr std::size_t kLargestUsual = 1024 * 1024;  // never reserved ahead of the bytes beyond this

}  // namespace

class FrameBuffer::Chunk {
 public:
  // The bytes were taken from the budget.
  Chunk(std::shared_ptr<MemoryBudget> budget, std::size_t capacity)
      : budget_(std::move(budget)),
        capacity_(capacity),
        bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity)) {}
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk() { budget_->give_back(capacity_); }

  std::byte* data() { return bytes_.get(); }
  std::size_t capacity() const { return capacity_; }

 private:
  std::shared_ptr<MemoryBudget> budget_;
  const std::size_t capacity_;
  std::unique_ptr<std::byte[]> bytes_;
};

FrameBuffer::FrameBuffer(std::shared_ptr<MemoryBudget> budget, std::size_t max_frame)
    : budget_(std::move(budget)), max_frame_(max_frame) {}

FrameBuffer::~FrameBuffer() = default;

std::size_t FrameBuffer::announced() const {
  if (pending() < kLengthSize) return 0;
  const auto length = protocol::load_big_endian<std::int32_t>(chunk_->data() + begin_);
  return length < 0 ? 0 : kLengthSize + static_cast<std::size_t>(length);
}

std::size_t FrameBuffer::wanted_capacity() const {
  const std::size_t by_received = std::max({kFirstChunk, 2 * pending(), std::min(usual_size_, kLargestUsual)});
  return std::max(kFirstChunk, std::min(by_received, std::max(announced(), usual_size_)));
}

// True when all of the chunk is free again.
bool FrameBuffer::reuse() {
  if (!chunk_ || pending() != 0 || chunk_.use_count() != 1) return false;
  // The last frame may have been dropped on another thread: giving up a second reference reads the count that thread
  // wrote and so orders its last use before our next write.
  std::shared_ptr<Chunk>(chunk_).reset();
  begin_ = end_ = 0;
  return true;
}

void FrameBuffer::release() {
  if (pending() != 0) return;
  chunk_.reset();
  begin_ = end_ = 0;
}

std::span<std::byte> FrameBuffer::prepare() {
  if (reuse() && chunk_->capacity() > 4 * std::max(kFirstChunk, usual_size_)) chunk_.reset();
  if (chunk_) {
    const std::size_t room = chunk_->capacity() - end_;
    // A frame that cannot become whole here still fills the chunk first, so that growth follows the bytes received.
    if (room >= kLeastRead || (room > 0 && begin_ + announced() <= chunk_->capacity() && announced() != 0)) {
      return {chunk_->data() + end_, room};
    }
  }
  std::size_t capacity = std::max(wanted_capacity(), pending() + kLeastRead);
  if (!budget_->take(capacity)) {
    if (pending() + kLeastRead > kFirstChunk) return {};
    capacity = kFirstChunk;
    budget_->add(capacity);
  }
  auto chunk = std::make_shared<Chunk>(budget_, capacity);
  if (pending() != 0) std::memcpy(chunk->data(), chunk_->data() + begin_, pending());
  end_ = pending();
  begin_ = 0;
  chunk_ = std::move(chunk);
  return {chunk_->data() + end_, capacity - end_};
}

Result<std::optional<Frame>> FrameBuffer::next() {
  if (pending() < kLengthSize) return std::nullopt;
  const auto length = protocol::load_big_endian<std::int32_t>(chunk_->data() + begin_);
  if (length < 0) return fail(ErrorKind::kMalformed, fmt::format("a request announces a length of {} bytes", length));
  const auto size = static_cast<std::size_t>(length);
  if (size > max_frame_) {
    return fail(ErrorKind::kTooLarge,
                fmt::format("a request announces {} bytes, more than socket.request.max.bytes ({})", size, max_frame_));
  }
  if (pending() - kLengthSize < size) return std::nullopt;
  Frame frame{{chunk_->data() + begin_ + kLengthSize, size}, chunk_};
  begin_ += kLengthSize + size;
  usual_size_ = std::max(kLengthSize + size, usual_size_ - usual_size_ / 8);
  return frame;
}

}  // namespace cohort::net
