// Text: the string of generated messages, 32 bytes. It is one of three: borrowed (points into a frame), inline (up to
// 27 bytes) or on the heap.
//
// Decoding borrows, so it costs no allocation; copying always owns, so whatever outlives the frame was made by a copy
// and nobody has to remember anything. Moving keeps what it is: a moved borrowed Text still points into the frame. Why
// not std::string_view: a response or a record must own its bytes. Why not std::string: a decoded heartbeat would
// allocate for every member id (36 characters). Not thread-safe, like any value.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace cohort::protocol {

class Text;
template <typename S>
concept TextSource = std::convertible_to<const S&, std::string_view> && !std::same_as<std::remove_cvref_t<S>, Text>;

class alignas(8) Text {
 public:
  static constexpr std::size_t kInlineSize = 27;

  Text() = default;
  // Copies: owns. From std::string_view, std::string, a literal. Not longer than 4 GiB, which no message can be.
  template <TextSource S>
  Text(const S& source) {  // NOLINT(google-explicit-constructor): a string in all but name
    assign_owned(std::string_view(source));
  }
  // Points at the bytes of `source`, which must outlive this object and all it is moved to.
  static Text borrow(std::string_view source) {
    Text text;
    text.size_ = static_cast<std::uint32_t>(source.size());
    text.kind_ = Kind::kBorrowed;
    text.set_pointer(source.data());
    return text;
  }

  Text(const Text& other) { assign_owned(other.view()); }
  Text(Text&& other) noexcept { steal(other); }
  Text& operator=(const Text& other) {
    if (this != &other) *this = Text(other);
    return *this;
  }
  Text& operator=(Text&& other) noexcept {
    if (this != &other) {
      release();
      steal(other);
    }
    return *this;
  }
  ~Text() { release(); }

  const char* data() const { return kind_ == Kind::kInline ? chars_ : pointer(); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool is_borrowed() const { return kind_ == Kind::kBorrowed; }
  std::string_view view() const { return {data(), size_}; }
  std::string str() const { return std::string(view()); }
  operator std::string_view() const { return view(); }  // NOLINT(google-explicit-constructor): see above

  friend bool operator==(const Text& a, const Text& b) { return a.view() == b.view(); }
  friend std::strong_ordering operator<=>(const Text& a, const Text& b) { return a.view() <=> b.view(); }
  template <TextSource S>
  friend bool operator==(const Text& a, const S& b) {
    return a.view() == std::string_view(b);
  }
  template <TextSource S>
  friend std::strong_ordering operator<=>(const Text& a, const S& b) {
    return a.view() <=> std::string_view(b);
  }

 private:
  enum class Kind : std::uint8_t { kInline, kBorrowed, kHeap };
  static constexpr std::size_t kPointerAt = 3;  // in chars_: offset 8 of the object

  void assign_owned(std::string_view source) {  // the object holds nothing yet
    size_ = static_cast<std::uint32_t>(source.size());
    if (source.size() <= kInlineSize) {
      if (!source.empty()) std::memcpy(chars_, source.data(), source.size());
      return;
    }
    char* bytes = new char[source.size()];
    std::memcpy(bytes, source.data(), source.size());
    kind_ = Kind::kHeap;
    set_pointer(bytes);
  }
  void steal(Text& other) noexcept {
    size_ = other.size_;
    kind_ = other.kind_;
    std::memcpy(chars_, other.chars_, kInlineSize);
    other.size_ = 0;
    other.kind_ = Kind::kInline;
  }
  void release() noexcept {
    if (kind_ == Kind::kHeap) delete[] pointer();
  }
  const char* pointer() const {
    const char* pointer = nullptr;
    std::memcpy(&pointer, chars_ + kPointerAt, sizeof(pointer));
    return pointer;
  }
  void set_pointer(const char* pointer) { std::memcpy(chars_ + kPointerAt, &pointer, sizeof(pointer)); }

  std::uint32_t size_ = 0;
  Kind kind_ = Kind::kInline;
  char chars_[kInlineSize] = {};
};
static_assert(sizeof(Text) == 32);

// The text may go before the view does: use it at once.
inline std::optional<std::string_view> view_of(const std::optional<Text>& text) {
  return text ? std::optional(text->view()) : std::nullopt;
}

}  // namespace cohort::protocol

template <>
struct std::hash<cohort::protocol::Text> {
  std::size_t operator()(const cohort::protocol::Text& text) const noexcept {
    return std::hash<std::string_view>{}(text.view());
  }
};

template <>
struct fmt::formatter<cohort::protocol::Text> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const cohort::protocol::Text& text, Context& context) const {
    return fmt::formatter<std::string_view>::format(text.view(), context);
  }
};
