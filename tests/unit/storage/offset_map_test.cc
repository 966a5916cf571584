#include "server/storage/offset_map.h"

#include <catch2/catch.hpp>
#include <string>

namespace cohort::storage {
namespace {

std::span<const std::byte> key_bytes(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST_CASE("A map of offsets knows the last one of each key", "[compaction]") {
  OffsetMap map(std::size_t{1} << 20);
  for (int i = 0; i < 20'000; ++i) REQUIRE(map.put(key_bytes("key" + std::to_string(i % 7'000)), i));
  CHECK(map.size() == 7'000);
  for (int i = 0; i < 7'000; ++i) {
    const int last = i < 6'000 ? 14'000 + i : 7'000 + i;
    REQUIRE(map.get(key_bytes("key" + std::to_string(i))) == last);
  }
  CHECK(map.get(key_bytes("other")) == -1);
  CHECK(map.get({}) == -1);
}

TEST_CASE("A map of offsets takes what its keys need, and never more than it may", "[compaction]") {
  for (const std::size_t max_bytes :
       {std::size_t{0}, std::size_t{1} << 19, std::size_t{1} << 20, std::size_t{3'333'333}}) {
    OffsetMap map(max_bytes);
    CHECK(map.bytes() <= std::max<std::size_t>(max_bytes, 120));
    CHECK(map.bytes() <= 24 * 1024);
    std::int64_t keys = 0;
    for (std::size_t before = map.bytes(); map.put(key_bytes(std::to_string(keys)), keys); ++keys) {
      if (map.bytes() == before) continue;
      REQUIRE(before + map.bytes() <= max_bytes);  // both are there for a while
      before = map.bytes();
    }
    CHECK(map.bytes() <= std::max<std::size_t>(max_bytes, 120));
    CHECK(static_cast<std::size_t>(keys) == map.size());
    CHECK(map.size() >= 4);
    CHECK(map.size() * 24 * 100 >= max_bytes * 59);
    // Full: nothing was changed, and known keys still move.
    CHECK(map.get(key_bytes(std::to_string(keys))) == -1);
    CHECK(map.put(key_bytes("0"), keys));
    CHECK(map.get(key_bytes("0")) == keys);
    for (std::int64_t i = 1; i < keys; ++i) REQUIRE(map.get(key_bytes(std::to_string(i))) == i);
  }
}

}  // namespace
}  // namespace cohort::storage
