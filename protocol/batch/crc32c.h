// CRC-32C (Castagnoli), the checksum of record batches (RFC 3720 B.4, Kafka's Crc32C).
// Owner: none, pure functions. Threads: any. Lifetime: no state but which code the processor can run, found out once.
// Why not a library: none of those we link offers it, and the processor's own instruction needs only a few lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace cohort::protocol {

// The checksum of the bytes. A seed continues: crc32c(b, crc32c(a)) is the checksum of a followed by b.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed = 0);

inline std::uint32_t crc32c(std::string_view text) {
  return crc32c(std::as_bytes(std::span(text)));
}

namespace detail {

// Both ways to the same number, so that tests and benchmarks can compare them.
std::uint32_t crc32c_tables(std::span<const std::byte> bytes, std::uint32_t seed);
// Only if crc32c_has_instruction().
std::uint32_t crc32c_instruction(std::span<const std::byte> bytes, std::uint32_t seed);
bool crc32c_has_instruction();

}  // namespace detail
}  // namespace cohort::protocol
