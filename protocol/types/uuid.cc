#include "protocol/types/uuid.h"

#include <array>

namespace cohort::protocol {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTextSize = 22;  // 128 bits in groups of 6

constexpr auto kValues = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}();

}  // namespace

std::string Uuid::to_string() const {
  // The 128 bits are followed by 4 zero bits: 22 groups of 6.
  std::string text(kTextSize, '\0');
  std::uint64_t high = high_;
  std::uint64_t low = low_;
  for (std::size_t i = 0; i + 1 < kTextSize; ++i) {
    text[i] = kAlphabet[high >> 58U];
    high = (high << 6U) | (low >> 58U);
    low <<= 6U;
  }
  text[kTextSize - 1] = kAlphabet[high >> 58U];
  return text;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() == kTextSize + 2 && text.ends_with("==")) text.remove_suffix(2);
  if (text.size() != kTextSize) return std::nullopt;
  Uuid id;
  for (std::size_t i = 0; i < kTextSize; ++i) {
    const std::int8_t value = kValues[static_cast<unsigned char>(text[i])];
    if (value < 0) return std::nullopt;
    const std::uint64_t bits = static_cast<std::uint8_t>(value);
    if (i + 1 == kTextSize) {
      if ((bits & 0xfU) != 0) return std::nullopt;
      id.high_ = (id.high_ << 2U) | (id.low_ >> 62U);
      id.low_ = (id.low_ << 2U) | (bits >> 4U);
    } else {
      id.high_ = (id.high_ << 6U) | (id.low_ >> 58U);
      id.low_ = (id.low_ << 6U) | bits;
    }
  }
  return id;
}

}  // namespace cohort::protocol
