// Uuid: the 16 bytes that Kafka uses as topic id, member id and the like. A plain value, safe to copy between threads.
// Printed as Kafka prints it: URL-safe base64 without padding, 22 characters (org.apache.kafka.common.Uuid).
// Kept as two integers rather than a byte array, so that comparing and hashing are two instructions.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cohort::protocol {

class Uuid {
 public:
  constexpr Uuid() = default;
  // The first and the last 8 bytes, each read as a big-endian number.
  constexpr Uuid(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  static constexpr Uuid zero() { return {}; }
  // Nothing unless the text is the 22 characters of a Uuid (two padding characters may follow, as Kafka allows).
  static std::optional<Uuid> parse(std::string_view text);

  constexpr std::uint64_t high() const { return high_; }
  constexpr std::uint64_t low() const { return low_; }
  constexpr bool is_zero() const { return (high_ | low_) == 0; }
  std::string to_string() const;

  // Order of the bytes, unsigned. Kafka's compareTo is signed; no rule of the protocol rests on either.
  friend constexpr auto operator<=>(const Uuid&, const Uuid&) = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace cohort::protocol

template <>
struct std::hash<cohort::protocol::Uuid> {
  std::size_t operator()(const cohort::protocol::Uuid& id) const noexcept {
    // Ids made by tests are small counters: spread them over all bits.
    const std::uint64_t mixed = (id.high() ^ (id.low() * 0x9e3779b97f4a7c15U)) * 0xbf58476d1ce4e5b9U;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};

template <>
struct fmt::formatter<cohort::protocol::Uuid> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const cohort::protocol::Uuid& id, Context& context) const {
    return fmt::formatter<std::string_view>::format(id.to_string(), context);
  }
};
