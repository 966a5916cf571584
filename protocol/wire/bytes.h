// Bytes: the blob of generated messages (bytes, records). Borrowed (points into a frame) or a counted slice of a buffer
// that somebody owns together.
//
// As with Text: decoding borrows, copying owns. A copy of a borrowed one is a deep copy; a copy of a counted one only
// counts, so a record batch or an assignment travels through state, log and replies without being copied again.
// The counted buffer is never changed, so slices may be shared between threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace cohort::protocol {

class Bytes {
 public:
  Bytes() = default;
  // Points at `source`, which must outlive this object and all it is moved to.
  static Bytes borrow(std::span<const std::byte> source) { return Bytes(nullptr, source); }
  // Takes the vector; no copy.
  static Bytes own(std::vector<std::byte> source) {
    auto owner = std::make_shared<const std::vector<std::byte>>(std::move(source));
    const std::span<const std::byte> view(*owner);
    return Bytes(std::move(owner), view);
  }
  // A part of a buffer that `owner` keeps alive; owner must not be null.
  static Bytes slice(std::shared_ptr<const void> owner, std::span<const std::byte> view) {
    return Bytes(std::move(owner), view);
  }
  static Bytes copy_of(std::span<const std::byte> source) {
    if (source.empty()) return {};
    auto owner = std::make_shared_for_overwrite<std::byte[]>(source.size());
    std::memcpy(owner.get(), source.data(), source.size());
    const std::span<const std::byte> view(owner.get(), source.size());
    return Bytes(std::shared_ptr<const void>(std::move(owner), view.data()), view);
  }
  static Bytes copy_of(std::string_view source) { return copy_of(std::as_bytes(std::span(source))); }

  Bytes(const Bytes& other) : Bytes(other.is_borrowed() ? copy_of(other.view()) : Bytes(other.owner_, other.view())) {}
  Bytes(Bytes&& other) noexcept
      : owner_(std::move(other.owner_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  Bytes& operator=(const Bytes& other) {
    if (this != &other) *this = Bytes(other);
    return *this;
  }
  Bytes& operator=(Bytes&& other) noexcept {
    if (this != &other) {
      owner_ = std::move(other.owner_);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }
  ~Bytes() = default;

  std::span<const std::byte> view() const { return {data_, size_}; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool is_borrowed() const { return owner_ == nullptr && size_ != 0; }
  // Null when borrowed or empty.
  const std::shared_ptr<const void>& owner() const { return owner_; }
  // The bytes as characters, for formatting and comparing.
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  friend bool operator==(const Bytes& a, const Bytes& b) { return std::ranges::equal(a.view(), b.view()); }

 private:
  Bytes(std::shared_ptr<const void> owner, std::span<const std::byte> view)
      : owner_(std::move(owner)), data_(view.data()), size_(view.size()) {}

  std::shared_ptr<const void> owner_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cohort::protocol
