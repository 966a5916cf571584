#include "server/config/properties.h"

#include <catch2/catch.hpp>

namespace cohort::config {
namespace {

std::vector<Property> parsed(std::string_view text) {
  auto properties = parse_properties(text);
  REQUIRE(properties.has_value());
  return *properties;
}

TEST_CASE("properties: separators, blanks and comments") {
  const auto p = parsed("# comment\n! comment\n\na=1\n  b : 2 \nc 3\nd\ne=\nf==x\n");
  REQUIRE(p.size() == 6);
  CHECK((p[0].key == "a" && p[0].value == "1" && p[0].line == 4));
  CHECK((p[1].key == "b" && p[1].value == "2 " && p[1].line == 5));
  CHECK((p[2].key == "c" && p[2].value == "3"));
  CHECK((p[3].key == "d" && p[3].value.empty()));
  CHECK((p[4].key == "e" && p[4].value.empty()));
  CHECK((p[5].key == "f" && p[5].value == "=x"));
}

TEST_CASE("properties: a line ending in an odd number of backslashes goes on") {
  const auto p = parsed("list=a,\\\n     b,\\\r\n  c\nnext=x\\\\\nlast=\\");
  REQUIRE(p.size() == 3);
  CHECK(p[0].value == "a,b,c");
  CHECK((p[1].value == "x\\" && p[1].line == 4));
  CHECK(p[2].value.empty());
}

TEST_CASE("properties: escapes") {
  const auto p = parsed("a\\=b\\:c\\ d=\\t\\n\\r\\f\\q\\u0041\\u00e9\\u20ac\n");
  REQUIRE(p.size() == 1);
  CHECK(p[0].key == "a=b:c d");
  CHECK(p[0].value == "\t\n\r\fqA\xC3\xA9\xE2\x82\xAC");
}

TEST_CASE("properties: a broken unicode escape names its line") {
  for (const char* text : {"a=1\nb=\\u12\n", "a=1\nb=\\u12xy", "a=1\n\\uzzzz=1"}) {
    auto properties = parse_properties(text);
    REQUIRE_FALSE(properties.has_value());
    CHECK(properties.error().message.starts_with("line 2: "));
  }
}

TEST_CASE("properties: lines end with LF, CR or both, and the last needs none") {
  const auto p = parsed("a=1\r\nb=2\rc=3");
  REQUIRE(p.size() == 3);
  CHECK((p[2].key == "c" && p[2].line == 3));
}

}  // namespace
}  // namespace cohort::config
