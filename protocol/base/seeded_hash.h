// A hash for keys that clients choose: different in each process, so that nobody can choose keys that fall into one
// bucket. (std::hash of a number is the number, and of a text the same in every process.)
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

namespace cohort {

std::size_t seeded_hash(const void* bytes, std::size_t size) noexcept;

struct SeededHash {
  std::size_t operator()(std::string_view text) const noexcept { return seeded_hash(text.data(), text.size()); }
  template <std::integral Number>
  std::size_t operator()(Number number) const noexcept {
    return seeded_hash(&number, sizeof(number));
  }
};

}  // namespace cohort
