// Strong<Tag, T>: a T that cannot be mixed up with another T. Explicit in both directions; compares, hashes and formats
// like its value; no arithmetic. Strings look up by std::string_view in maps that use StrongHash and StrongEqual.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace cohort {

template <typename Tag, typename T>
class Strong {
 public:
  using ValueType = T;

  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(std::move(value)) {}

  constexpr const T& value() const& { return value_; }
  constexpr T&& value() && { return std::move(value_); }

  friend constexpr bool operator==(const Strong&, const Strong&) = default;
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

  // Heterogeneous comparison for strings only, so that a lookup needs no copy.
  friend bool operator==(const Strong& a, std::string_view b)
    requires std::same_as<T, std::string>
  {
    return a.value_ == b;
  }
  friend std::strong_ordering operator<=>(const Strong& a, std::string_view b)
    requires std::same_as<T, std::string>
  {
    return std::string_view(a.value_) <=> b;
  }

 private:
  T value_{};
};

// Transparent hash, equality and order for containers keyed by a strong string.
struct StrongHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  template <typename Tag, typename T>
  std::size_t operator()(const Strong<Tag, T>& id) const {
    if constexpr (std::same_as<T, std::string>)
      return std::hash<std::string_view>{}(id.value());
    else
      return std::hash<T>{}(id.value());
  }
};
struct StrongEqual {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    return a == b;
  }
};

}  // namespace cohort

template <typename Tag, typename T>
struct std::hash<cohort::Strong<Tag, T>> {
  std::size_t operator()(const cohort::Strong<Tag, T>& id) const noexcept { return std::hash<T>{}(id.value()); }
};

template <typename Tag, typename T>
struct fmt::formatter<cohort::Strong<Tag, T>> : fmt::formatter<T> {
  template <typename Context>
  auto format(const cohort::Strong<Tag, T>& id, Context& context) const {
    return fmt::formatter<T>::format(id.value(), context);
  }
};
