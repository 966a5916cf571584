#include "server/api/api_table.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocol/messages/offset_fetch_request.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::api {
namespace {

TEST_CASE("api table: what this release serves, with the versions of Kafka 4.3.1") {
  const std::map<std::int16_t, std::pair<int, int>> expected{
      {0, {3, 13}}, {1, {4, 18}}, {2, {1, 11}}, {3, {0, 13}}, {8, {2, 10}}, {9, {1, 10}}, {10, {0, 6}}, {11, {0, 9}},
      {12, {0, 4}}, {13, {0, 5}}, {14, {0, 5}}, {15, {0, 6}}, {16, {0, 5}}, {18, {0, 4}}, {19, {2, 7}}, {20, {1, 6}},
      {21, {0, 2}}, {22, {0, 5}}, {23, {2, 4}}, {29, {1, 3}}, {32, {1, 4}}, {33, {0, 2}}, {35, {1, 5}}, {37, {0, 3}},
      {42, {0, 2}}, {44, {0, 1}}, {46, {0, 0}}, {47, {0, 0}}, {48, {0, 1}}, {50, {0, 0}}, {55, {0, 2}}, {60, {0, 2}},
      {61, {0, 0}}, {68, {0, 1}}, {69, {0, 1}}, {74, {0, 1}}, {75, {0, 0}}};
  std::map<std::int16_t, std::pair<int, int>> served;
  for (const ApiRow& row : api_table()) served[row.key] = {row.min_version, row.max_version};
  CHECK(served == expected);
}

TEST_CASE("api table: each row is whole and found by its key") {
  for (const ApiRow& row : api_table()) {
    INFO(row.name);
    CHECK(find_api(row.key) == &row);
    CHECK(row.handle != nullptr);
    REQUIRE(row.overlaps != nullptr);
    CHECK_FALSE(row.name.empty());
    CHECK(row.announced_min == (row.name == "Produce" ? 0 : row.min_version));
  }
  for (int key : {-1, -32768, 4, 76, 1000, 32767}) CHECK(find_api(static_cast<std::int16_t>(key)) == nullptr);
}

TEST_CASE("api table: what overlaps on a connection whatever it asks for") {
  std::vector<std::string_view> overlapping;
  for (const ApiRow& row : api_table()) {
    if (row.overlaps(row.max_version, {})) overlapping.push_back(row.name);
  }
  CHECK(overlapping == std::vector<std::string_view>{"Produce", "OffsetCommit", "Heartbeat", "ConsumerGroupHeartbeat"});
}

using protocol::OffsetFetchRequest;

OffsetFetchRequest fetch_of(std::int16_t version, std::size_t partitions) {
  OffsetFetchRequest request;
  if (version < 8) {
    request.group_id = "g";
    request.topics.emplace();
    auto& topic = request.topics->emplace_back();
    topic.name = "t";
    topic.partition_indexes.assign(partitions, 1);
    return request;
  }
  auto& group = request.groups.emplace_back();
  group.group_id = "g";
  if (version >= 9) group.member_id = protocol::Text("a member of this group");
  group.topics.emplace();
  group.topics->emplace_back().partition_indexes.assign(partitions, 1);
  return request;
}

bool overlaps(const OffsetFetchRequest& request, std::int16_t version, std::size_t cut = 0) {
  protocol::ByteBuffer buffer;
  protocol::ByteWriter writer(buffer);
  write(writer, request, version);
  REQUIRE(writer.status().has_value());
  return find_api(9)->overlaps(version, buffer.view().first(buffer.size() - cut));
}

// Else 64 answers with all offsets of a group, or with much metadata, could be in memory at once.
TEST_CASE("api table: OffsetFetch overlaps when it names a few partitions of one group") {
  for (std::int16_t version = 1; version <= 10; ++version) {
    INFO(version);
    CHECK(overlaps(fetch_of(version, 1), version));
    CHECK(overlaps(fetch_of(version, 20), version));
    CHECK_FALSE(overlaps(fetch_of(version, 64), version));
    OffsetFetchRequest all = fetch_of(version, 0);
    if (version >= 8) {
      all.groups[0].topics.reset();
      CHECK_FALSE(overlaps(all, version));
      all.groups.push_back(fetch_of(version, 1).groups[0]);
      std::swap(all.groups[0], all.groups[1]);
      CHECK_FALSE(overlaps(all, version));
    } else if (version >= 2) {
      all.topics.reset();
      CHECK_FALSE(overlaps(all, version));
    }
  }
  // What cannot be read as far as is looked.
  CHECK_FALSE(find_api(9)->overlaps(9, {}));
  CHECK_FALSE(find_api(9)->overlaps(5, {}));
  CHECK_FALSE(overlaps(fetch_of(5, 0), 5, 8));
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
  CHECK(parse(header(24, 2) + "\xFF\xFF").error().message == "AddPartitionsToTxn v2 is not served");
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
