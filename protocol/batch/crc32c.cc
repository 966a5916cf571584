#include "protocol/batch/crc32c.h"

#include <array>
#include <bit>
#include <cstring>

#include "protocol/base/check.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#define COHORT_CRC_INSTRUCTION 1
#define COHORT_CRC_TARGET __attribute__((target("sse4.2")))
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#define COHORT_CRC_INSTRUCTION 1
#define COHORT_CRC_TARGET
#endif

namespace cohort::protocol {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // 0x1edc6f41 with its bits reversed

template <std::size_t N>
using Tables = std::array<std::array<std::uint32_t, 256>, N>;

// table[0] advances by one byte; table[k] by that byte and k zero bytes after it, so that eight bytes go at once.
constexpr Tables<8> make_byte_tables() {
  Tables<8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < 8; ++k) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}
constexpr Tables<8> kByteTables = make_byte_tables();

std::uint64_t load_little_endian(const std::byte* at) {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

#if defined(COHORT_CRC_INSTRUCTION)

// The instruction takes three cycles but one can start in each: three blocks are summed side by side and then joined.
constexpr std::size_t kBlock = 1024;

// Advancing a checksum over kBlock zero bytes is linear over GF(2): a 32×32 bit matrix, here as four tables, one per
// byte of the checksum. (The method of Mark Adler's crc32c.)
using Matrix = std::array<std::uint32_t, 32>;

constexpr std::uint32_t times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (std::size_t row = 0; vector != 0; vector >>= 1, ++row) {
    if ((vector & 1) != 0) sum ^= matrix[row];
  }
  return sum;
}

constexpr Tables<4> make_skip_tables() {
  Matrix skip{};
  skip[0] = kPolynomial;  // one zero bit
  for (std::size_t row = 1; row < 32; ++row) skip[row] = std::uint32_t{1} << (row - 1);
  for (std::size_t bits = 1; bits < kBlock * 8; bits *= 2) {
    Matrix twice{};
    for (std::size_t row = 0; row < 32; ++row) twice[row] = times(skip, skip[row]);
    skip = twice;
  }
  Tables<4> tables{};
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) tables[k][byte] = times(skip, byte << (8 * k));
  }
  return tables;
}
constexpr Tables<4> kSkipTables = make_skip_tables();

std::uint32_t skip_block(std::uint32_t crc) {
  return kSkipTables[0][crc & 0xff] ^ kSkipTables[1][(crc >> 8) & 0xff] ^ kSkipTables[2][(crc >> 16) & 0xff] ^
         kSkipTables[3][crc >> 24];
}

COHORT_CRC_TARGET inline std::uint32_t step(std::uint32_t crc, std::uint64_t word) {
#if defined(__x86_64__)
  return static_cast<std::uint32_t>(_mm_crc32_u64(crc, word));
#else
  return __crc32cd(crc, word);
#endif
}

COHORT_CRC_TARGET inline std::uint32_t step(std::uint32_t crc, std::byte byte) {
#if defined(__x86_64__)
  return _mm_crc32_u8(crc, std::to_integer<std::uint8_t>(byte));
#else
  return __crc32cb(crc, std::to_integer<std::uint8_t>(byte));
#endif
}

COHORT_CRC_TARGET std::uint32_t advance_by_instruction(const std::byte* at, std::size_t size, std::uint32_t crc) {
  for (; size >= 3 * kBlock; at += 3 * kBlock, size -= 3 * kBlock) {
    std::uint32_t second = 0;
    std::uint32_t third = 0;
    for (std::size_t i = 0; i < kBlock; i += 8) {
      crc = step(crc, load_little_endian(at + i));
      second = step(second, load_little_endian(at + kBlock + i));
      third = step(third, load_little_endian(at + 2 * kBlock + i));
    }
    crc = skip_block(skip_block(crc) ^ second) ^ third;
  }
  for (; size >= 8; at += 8, size -= 8) crc = step(crc, load_little_endian(at));
  for (; size > 0; ++at, --size) crc = step(crc, *at);
  return crc;
}

#endif  // COHORT_CRC_INSTRUCTION

bool ask_processor() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("sse4.2") != 0;
#elif defined(COHORT_CRC_INSTRUCTION)
  return true;
#else
  return false;
#endif
}

// False until it was set, which is right too: the tables work everywhere.
const bool kHasInstruction = ask_processor();

}  // namespace

namespace detail {

bool crc32c_has_instruction() {
  return kHasInstruction;
}

std::uint32_t crc32c_tables(std::span<const std::byte> bytes, std::uint32_t seed) {
  std::uint32_t crc = ~seed;
  const std::byte* at = bytes.data();
  std::size_t size = bytes.size();
  for (; size >= 8; at += 8, size -= 8) {
    const std::uint64_t word = load_little_endian(at) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kByteTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; size > 0; ++at, --size) crc = (crc >> 8) ^ kByteTables[0][(crc ^ std::to_integer<std::uint32_t>(*at)) & 0xff];
  return ~crc;
}

std::uint32_t crc32c_instruction([[maybe_unused]] std::span<const std::byte> bytes, std::uint32_t seed) {
#if defined(COHORT_CRC_INSTRUCTION)
  return ~advance_by_instruction(bytes.data(), bytes.size(), ~seed);
#else
  CHECK(false, "this build has no CRC instruction");
  return seed;
#endif
}

}  // namespace detail

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t seed) {
  return kHasInstruction ? detail::crc32c_instruction(bytes, seed) : detail::crc32c_tables(bytes, seed);
}

}  // namespace cohort::protocol
