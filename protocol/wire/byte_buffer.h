// ByteBuffer: a growing run of bytes that encoders append to and sockets or logs read from. Owned by whoever sends it;
// cleared and used again, it keeps its memory. Not thread-safe.
// Why not std::vector<std::byte>: growing it writes zeros first, and appending four bytes is a call; here both are
// free.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace cohort::protocol {

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  ByteBuffer& operator=(ByteBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() = default;

  std::byte* data() { return bytes_.get(); }
  const std::byte* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }
  std::span<const std::byte> view() const { return {bytes_.get(), size_}; }
  // Valid until the next call that grows the buffer.
  std::span<std::byte> mutable_view() { return {bytes_.get(), size_}; }

  // Room for `count` more bytes, not initialised; they count only after commit().
  std::byte* prepare(std::size_t count) {
    if (capacity_ - size_ < count) [[unlikely]]
      grow(count);
    return bytes_.get() + size_;
  }
  // The first `count` bytes of the last prepare() now belong to the buffer.
  void commit(std::size_t count) { size_ += count; }

  void append(std::span<const std::byte> source) {
    if (source.empty()) return;
    // Behind a large run of bytes (records) comes little: room for that, or the whole would be copied for its sake.
    if (source.size() >= kLarge && capacity_ - size_ < source.size()) grow(source.size() + source.size() / 16);
    std::memcpy(prepare(source.size()), source.data(), source.size());
    commit(source.size());
  }
  void clear() { size_ = 0; }
  // Forgets what comes after the first `size` bytes; size must not be more than size().
  void truncate(std::size_t size) { size_ = std::min(size, size_); }
  void reserve(std::size_t capacity) {
    if (capacity > capacity_) grow(capacity - size_);
  }

 private:
  static constexpr std::size_t kFirstCapacity = 256;
  static constexpr std::size_t kLarge = std::size_t{64} << 10;

  void grow(std::size_t count) {
    const std::size_t capacity = std::max({size_ + count, capacity_ * 2, kFirstCapacity});
    auto bytes = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (size_ != 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace cohort::protocol
