#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "protocol/base/seeded_hash.h"

namespace cohort {
namespace {

// With std::hash, which is the number itself, all of them would stand in one bucket: there are as many buckets as the
// step is wide, a prime of the standard library's.
TEST_CASE("Numbers that are chosen to collide do not") {
  constexpr std::int32_t kStep = 42'043;
  std::unordered_set<std::int32_t, SeededHash> set;
  set.rehash(kStep);
  for (std::int32_t i = 0; i < 40'000; ++i) set.insert(i * kStep);
  std::size_t fullest = 0;
  for (std::size_t bucket = 0; bucket < set.bucket_count(); ++bucket) {
    fullest = std::max(fullest, set.bucket_size(bucket));
  }
  CHECK(fullest < 40);
}

TEST_CASE("Equal texts have equal hashes") {
  CHECK(SeededHash{}(std::string("group")) == SeededHash{}("group"));
  CHECK(SeededHash{}("group") != SeededHash{}("grouq"));
}

}  // namespace
}  // namespace cohort
