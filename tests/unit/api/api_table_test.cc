#include "server/api/api_table.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>

namespace cohort::api {
namespace {

TEST_CASE("api table: what this release serves, with the versions of Kafka 4.3.1") {
  const std::map<std::int16_t, std::pair<int, int>> expected{
      {0, {3, 13}}, {1, {4, 18}}, {2, {1, 11}}, {3, {0, 13}}, {8, {2, 10}}, {9, {1, 10}}, {10, {0, 6}}, {15, {0, 6}},
      {16, {0, 5}}, {18, {0, 4}}, {19, {2, 7}}, {20, {1, 6}}, {22, {0, 5}}, {32, {1, 4}}, {35, {1, 5}}, {37, {0, 3}}, {42, {0, 2}},
      {44, {0, 1}}, {47, {0, 0}}, {60, {0, 2}}, {68, {0, 1}}, {69, {0, 1}}, {74, {0, 1}}, {75, {0, 0}}};
  std::map<std::int16_t, std::pair<int, int>> served;
  for (const ApiRow& row : api_table()) served[row.key] = {row.min_version, row.max_version};
  CHECK(served == expected);
}

TEST_CASE("api table: each row is whole and found by its key") {
  for (const ApiRow& row : api_table()) {
    INFO(row.name);
    CHECK(find_api(row.key) == &row);
    CHECK(row.handle != nullptr);
    CHECK_FALSE(row.name.empty());
    CHECK(row.announced_min == (row.name == "Produce" ? 0 : row.min_version));
    // OffsetFetch may not: 64 answers with all offsets of a group would be in memory at once.
    const bool may_overlap =
        row.name == "Produce" || row.name == "OffsetCommit" || row.name == "ConsumerGroupHeartbeat";
    CHECK(row.overlaps == may_overlap);
  }
  for (int key : {-1, -32768, 4, 11, 76, 1000, 32767}) CHECK(find_api(static_cast<std::int16_t>(key)) == nullptr);
}

std::string header(std::int16_t key, std::int16_t version) {
  std::string bytes;
  for (std::int16_t number : {key, version}) {
    bytes += static_cast<char>(number >> 8);
    bytes += static_cast<char>(number & 0xFF);
  }
  return bytes + std::string("\0\0\0\7", 4);
}

Result<ParsedRequest> parse(const std::string& bytes) {
  return parse_request(std::as_bytes(std::span(bytes)));
}

TEST_CASE("request header: v1 and v2") {
  const std::string v1 = header(3, 0) + std::string("\0\2me", 4) + "body";
  const auto old = parse(v1);
  REQUIRE(old.has_value());
  CHECK(old->row->name == "Metadata");
  CHECK(old->head.correlation_id == 7);
  CHECK(old->head.client_id == "me");
  CHECK(old->body.size() == 4);
  // Flexible: a section of tagged fields follows; unknown ones are skipped.
  const std::string v2 = header(3, 9) + std::string("\0\2me\1\5\2xy", 9) + "body!";
  const auto flexible = parse(v2);
  REQUIRE(flexible.has_value());
  CHECK(flexible->body.size() == 5);
  const std::string null_client = header(3, 0) + "\xFF\xFF";
  const auto nobody = parse(null_client);
  REQUIRE(nobody.has_value());
  CHECK(nobody->head.client_id.empty());
}

TEST_CASE("request header: what cannot be served is an error in words") {
  CHECK(parse(header(999, 0) + "\xFF\xFF").error().message == "there is no API with key 999");
  CHECK(parse(header(11, 5) + "\xFF\xFF").error().message == "JoinGroup v5 is not served");
  CHECK(parse(header(0, 2) + "\xFF\xFF").error().message == "there is no version 2 of Produce");
  CHECK(parse(header(22, 6) + std::string("\xFF\xFF\0", 3)).error().message == "InitProducerId v6 is not served");
  CHECK(parse(header(3, -1) + "\xFF\xFF").error().kind == ErrorKind::kUnsupported);
}

TEST_CASE("request header: an unknown version of ApiVersions is answered without reading further") {
  const auto request = parse(header(18, 99) + std::string("\0\1n\0", 4) + "garbage");
  REQUIRE(request.has_value());
  CHECK(request->handle != request->row->handle);
  CHECK(request->head.correlation_id == 7);
}

TEST_CASE("request header: every shorter header is an error, never a crash") {
  const std::string whole = header(3, 9) + std::string("\0\2me\1\5\2xy", 9);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(size);
    CHECK_FALSE(parse(whole.substr(0, size)).has_value());
  }
}

}  // namespace
}  // namespace cohort::api
