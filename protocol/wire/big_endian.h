// Integers as they stand on the wire: most significant byte first.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstring>

namespace cohort::protocol {

template <std::integral T>
T load_big_endian(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) value = std::byteswap(value);
  return value;
}

template <std::integral T>
void store_big_endian(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little && sizeof(T) > 1) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof(T));
}

}  // namespace cohort::protocol
