#include <catch2/catch.hpp>

#include "protocol/frame/request_header.h"
#include "protocol/frame/response_frame.h"
#include "protocol/messages/fetch_response.h"
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

FetchResponse fetched(Records records) {
  FetchResponse response;
  auto& partition = response.responses.emplace_back().partitions.emplace_back();
  partition.records = std::move(records);
  return response;
}

// The bytes that a client would get, in order.
std::vector<std::byte> flat(const ResponseBuffer& buffer) {
  std::vector<std::byte> out;
  std::size_t done = 0;
  const auto add = [&](std::span<const std::byte> bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  for (const auto& attachment : buffer.attachments) {
    add(buffer.bytes.view().subspan(done, attachment.at - done));
    add(attachment.records.view());
    done = attachment.at;
  }
  add(buffer.bytes.view().subspan(done));
  return out;
}

TEST_CASE("large records are attached to a response, and the frame is the same") {
  for (const std::int16_t version : {std::int16_t{11}, std::int16_t{16}}) {
    for (const std::size_t size : {std::size_t{0}, ResponseBuffer::kAttachFrom - 1, ResponseBuffer::kAttachFrom,
                                   ResponseBuffer::kAttachFrom * 3}) {
      INFO("version " << version << ", " << size << " bytes");
      const FetchResponse response = fetched(Bytes::own(std::vector<std::byte>(size, std::byte{7})));
      ByteBuffer plain;
      REQUIRE(write_response_frame(plain, 5, response, version));
      ResponseBuffer buffer;
      for (int i = 0; i < 3; ++i) REQUIRE(write_response_frame(buffer, 5, response, version));
      CHECK(buffer.attachments.size() == (size >= ResponseBuffer::kAttachFrom ? 3U : 0U));
      CHECK(buffer.size() == 3 * plain.size());
      const auto bytes = flat(buffer);
      for (std::size_t i = 0; i < 3; ++i) {
        CHECK(std::ranges::equal(std::span(bytes).subspan(i * plain.size(), plain.size()), plain.view()));
      }
    }
  }
}

TEST_CASE("borrowed records are copied, however large: their owner is not asked to stay") {
  const std::vector<std::byte> source(ResponseBuffer::kAttachFrom * 2);
  FetchResponse response;
  response.responses.emplace_back().partitions.emplace_back().records = Bytes::borrow(source);
  ResponseBuffer buffer;
  REQUIRE(write_response_frame(buffer, 1, response, 12));
  CHECK(buffer.attachments.empty());
  CHECK(buffer.bytes.size() > source.size());
}

TEST_CASE("records of a file can only be attached, and half a frame takes them along") {
  const FetchResponse response = fetched(FileRegion{nullptr, 0, 0, 100});
  ByteBuffer plain;
  CHECK(write_response_frame(plain, 1, response, 12).error().kind == ErrorKind::kInvalid);
  CHECK(plain.empty());

  ResponseBuffer buffer;
  REQUIRE(write_response_frame(buffer, 1, response, 12));
  const std::size_t size = buffer.size();
  FetchResponse wrong = response;
  wrong.responses[0].partitions[0].aborted_transactions = std::nullopt;
  wrong.throttle_time_ms = 0;
  wrong.session_id = 7;  // version 4 has none
  const auto written = write_response_frame(buffer, 2, wrong, 4);
  REQUIRE_FALSE(written);
  CHECK(buffer.size() == size);
  CHECK(buffer.attachments.size() == 1);
}

}  // namespace
}  // namespace cohort::protocol
