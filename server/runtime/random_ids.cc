#include "server/runtime/random_ids.h"

#include <cstdint>

namespace cohort::runtime {
namespace {

std::mt19937_64 seeded_engine() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(), device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

}  // namespace

RandomIds::RandomIds() : engine_(seeded_engine()) {}

protocol::Uuid RandomIds::next_uuid() {
  constexpr std::uint64_t kVersion4 = 0x4000;
  constexpr std::uint64_t kVariant = std::uint64_t{0b10} << 62;
  constexpr std::uint64_t kDash = 62;  // of the base64 digits; the first one is the first 6 bits
  while (true) {
    const std::uint64_t high = (engine_() & ~std::uint64_t{0xF000}) | kVersion4;
    const std::uint64_t low = (engine_() & (~std::uint64_t{0} >> 2)) | kVariant;
    if (high >> 58 != kDash) return {high, low};
  }
}

}  // namespace cohort::runtime
