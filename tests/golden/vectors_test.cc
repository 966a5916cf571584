#include "tests/golden/vectors.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>

namespace cohort::golden {
namespace {

TEST_CASE("every kind of vector is there") {
  for (const char* kind : {"messages", "records", "frames", "batches"}) {
    std::size_t lines = 0;
    for_each_vector(kind, [&](const nlohmann::json& line) { lines += line.contains("hex") ? 1 : 0; });
    INFO(kind);
    CHECK(lines >= 50);
  }
}

TEST_CASE("hexadecimal goes both ways") {
  CHECK(to_hex(from_hex("00ff7f80")) == "00ff7f80");
}

}  // namespace
}  // namespace cohort::golden
