#include <catch2/catch.hpp>

#include "protocol/frame/request_header.h"
#include "protocol/frame/response_frame.h"
#include "protocol/messages/join_group_response.h"
#include "protocol/wire/byte_reader.h"

namespace cohort::protocol {
namespace {

Result<RequestStart> read_header(std::int16_t key, std::int16_t version, std::size_t cut = 0) {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  writer.int16(key);
  writer.int16(version);
  writer.int32(1);
  writer.int16(-1);
  writer.unsigned_varint(0);
  ByteReader reader(buffer.view().first(buffer.size() - cut));
  return read_request_header(reader);
}

TEST_CASE("an API or version that is not known is told apart from damage") {
  CHECK(read_header(11, 9)->api->name == "JoinGroup");
  CHECK(read_header(999, 0).error().message == "there is no API with key 999");
  CHECK(read_header(11, 10).error().message == "there is no version 10 of JoinGroup");
  CHECK(read_header(11, -1).error().kind == ErrorKind::kUnsupported);
  CHECK(read_header(11, 9, 2).error().kind == ErrorKind::kMalformed);
  CHECK(read_header(11, 9, 8).error().kind == ErrorKind::kMalformed);
}

TEST_CASE("only ApiVersions may come in an unknown version") {
  CHECK(read_header(18, 4)->version_known);
  CHECK_FALSE(read_header(18, 100)->version_known);
}

TEST_CASE("half a frame never stays in the buffer") {
  ByteBuffer buffer;
  REQUIRE(write_response_frame(buffer, 1, JoinGroupResponse{}, 9));
  const std::size_t size = buffer.size();
  const JoinGroupResponse wrong{.protocol_name = std::nullopt};  // null only from version 7 on
  const auto written = write_response_frame(buffer, 2, wrong, 6);
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::kInvalid);
  CHECK(buffer.size() == size);
}

}  // namespace
}  // namespace cohort::protocol
