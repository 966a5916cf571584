#include "server/runtime/partition_for.h"

#include <catch2/catch.hpp>
#include <limits>

namespace cohort::runtime {
namespace {

TEST_CASE("Hashes are those of Java") {
  CHECK(java_hash("") == 0);
  CHECK(java_hash("a") == 97);
  CHECK(java_hash("hello") == 99162322);
  CHECK(java_hash("polygenelubricants") == std::numeric_limits<std::int32_t>::min());
  CHECK(java_hash("\xC3\xA9") == 0xE9);                          // one UTF-16 unit
  CHECK(java_hash("\xF0\x9F\x98\x80") == 0xD83D * 31 + 0xDE00);  // a surrogate pair
}

TEST_CASE("Bytes that are not UTF-8 count as U+FFFD") {
  constexpr std::int32_t kOne = 0xFFFD;
  constexpr std::int32_t kTwo = 0xFFFD * 31 + 0xFFFD;
  CHECK(java_hash("\xFF") == kOne);
  CHECK(java_hash("\xE2\x82") == kOne);  // the beginning of a character
  CHECK(java_hash("\xC0\x80") == kTwo);  // an overlong form
  CHECK(java_hash("\xF0\x9F\x98") == kOne);
  CHECK(java_hash("\xE2\x82\x41") == 0xFFFD * 31 + 0x41);
}

TEST_CASE("The partition is the absolute value of the hash, not a mask of it") {
  CHECK(partition_for("polygenelubricants", 50) == 0);
  CHECK(partition_for("hello", 50) == 22);
  CHECK(java_hash("orders") == -1008770331);
  CHECK(partition_for("orders", 50) == 31);  // 17 with a mask
}

}  // namespace
}  // namespace cohort::runtime
