// Where a decoder of compression.cc puts its bytes: a ByteBuffer that never takes more memory than the caller allowed.
// Owner: one call of decompress(). Why not ByteBuffer alone: it doubles without a limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol::detail {

class CodecOutput {
 public:
  // Replaces what bytes holds. first_guess is cut to max.
  CodecOutput(ByteBuffer& bytes, std::size_t max, std::size_t first_guess) : bytes_(bytes), max_(max) {
    bytes_.clear();
    reserve(std::clamp(first_guess, std::min(kSmallest, max_), max_));
  }

  std::size_t left() const { return max_ - bytes_.size(); }

  // Where to write next, larger each time it is used up. Once max is reached: one byte aside, which only tells that
  // there is more.
  std::span<std::byte> room() {
    if (left() == 0) return {&beyond_, 1};
    if (limit() == bytes_.size()) reserve(std::min(max_, 2 * limit()));
    const std::size_t size = limit() - bytes_.size();
    return {bytes_.prepare(size), size};
  }
  // For a decoder that knows how much will come. Precondition: at most left().
  std::byte* room_for(std::size_t count) {
    if (bytes_.size() + count > limit()) reserve(std::clamp(2 * limit(), bytes_.size() + count, max_));
    return bytes_.prepare(count);
  }
  // For a decoder that found room() too small. False: it has max already.
  bool grow() {
    if (limit() == max_) return false;
    reserve(std::min(max_, 4 * limit()));
    return true;
  }
  // So many bytes of room() were written. False: more than max came out.
  bool wrote(std::size_t count) {
    if (left() == 0) return count == 0;
    bytes_.commit(count);
    return true;
  }

 private:
  static constexpr std::size_t kSmallest = 4096;

  std::size_t limit() const { return std::min(bytes_.capacity(), max_); }
  void reserve(std::size_t capacity) {
    if (capacity <= bytes_.capacity()) return;
    ByteBuffer larger;  // a new one takes exactly what is asked for
    larger.reserve(capacity);
    larger.append(bytes_.view());
    bytes_ = std::move(larger);
  }

  ByteBuffer& bytes_;
  std::size_t max_;
  std::byte beyond_{};
};

}  // namespace cohort::protocol::detail
