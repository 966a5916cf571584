#include "server/runtime/partition_for.h"

#include <cstddef>
#include <limits>

#include "protocol/base/check.h"

namespace cohort::runtime {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

// The code point at `at`, which moves behind it. Malformed bytes: one U+FFFD for the longest run that could have begun
// a character (Java's decoder, and what Unicode recommends).
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at++);
  if (first < 0x80) return first;
  int more = 0;
  unsigned char low = 0x80;  // bounds of the second byte: no overlong forms, no surrogates, nothing above U+10FFFF
  unsigned char high = 0xBF;
  if (first >= 0xC2 && first <= 0xDF)
    more = 1;
  else if (first >= 0xE0 && first <= 0xEF)
    more = 2;
  else if (first >= 0xF0 && first <= 0xF4)
    more = 3;
  else
    return kReplacement;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  char32_t code_point = first & (0x3F >> more);
  for (int i = 0; i < more; ++i) {
    if (at >= text.size() || byte(at) < low || byte(at) > high) return kReplacement;
    code_point = code_point << 6 | (byte(at++) & 0x3F);
    low = 0x80;
    high = 0xBF;
  }
  return code_point;
}

}  // namespace

std::int32_t java_hash(std::string_view utf8) {
  std::uint32_t hash = 0;
  for (std::size_t at = 0; at < utf8.size();) {
    const char32_t code_point = next_code_point(utf8, at);
    if (code_point < 0x10000) {
      hash = hash * 31 + static_cast<std::uint32_t>(code_point);
    } else {
      const char32_t rest = code_point - 0x10000;
      hash = hash * 31 + static_cast<std::uint32_t>(0xD800 + (rest >> 10));
      hash = hash * 31 + static_cast<std::uint32_t>(0xDC00 + (rest & 0x3FF));
    }
  }
  return static_cast<std::int32_t>(hash);
}

std::int32_t partition_for(std::string_view id, std::int32_t partitions) {
  CHECK(partitions > 0);
  const std::int32_t hash = java_hash(id);
  if (hash == std::numeric_limits<std::int32_t>::min()) return 0;
  return (hash < 0 ? -hash : hash) % partitions;
}

}  // namespace cohort::runtime
