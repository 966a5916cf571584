#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "protocol/frame/request_header.h"
#include "protocol/frame/response_frame.h"
#include "protocol/messages/request_header.h"
#include "protocol/messages/response_header.h"
#include "protocol/wire/byte_reader.h"
#include "tests/generated/message_codec.h"
#include "tests/golden/vectors.h"

namespace cohort::golden {
namespace {

using nlohmann::json;
using protocol::ApiInfo;
using protocol::ByteBuffer;
using protocol::ByteReader;
using protocol::ByteWriter;

Result<protocol::generated::Transcoded> transcode_body(const json& line, std::span<const std::byte> body) {
  const std::int16_t version = line.contains("bodyWrittenAsVersion") ? line["bodyWrittenAsVersion"] : line["version"];
  for (const auto& codec : protocol::generated::all_messages()) {
    if (codec.name == line["name"].get<std::string>()) return codec.transcode(body, version);
  }
  return fail(ErrorKind::kNotFound, "no such message");
}

void check_body(const json& line, std::span<const std::byte> body) {
  const auto got = transcode_body(line, body);
  if (!got) FAIL(got.error().message);
  CHECK(json::parse(got->json, nullptr, false) == line["json"]);
  CHECK(to_hex(got->bytes) == to_hex(body));
}

void check_request(const json& line, std::span<const std::byte> frame) {
  ByteReader reader(frame);
  const auto start = protocol::read_request_header(reader);
  if (!start) FAIL(start.error().message);
  CHECK(reader.offset() == line["headerBytes"].get<std::size_t>());
  CHECK(static_cast<int>(start->api->key) == line["apiKey"].get<int>());
  CHECK(start->version == line["version"].get<int>());
  CHECK(start->correlation_id == line["correlationId"].get<std::int32_t>());
  CHECK(protocol::request_header_version(*start->api, start->version) == line["headerVersion"].get<int>());
  CHECK((start->client_id ? json(start->client_id->str()) : json(nullptr)) == line["clientId"]);
  CHECK(start->version_known == (line["case"] != "unsupported-version"));
  check_body(line, frame.subspan(reader.offset()));

  // The header is written again by the generated code alone: it is clients that write it.
  ByteBuffer header_bytes;
  ByteWriter writer(header_bytes);
  const protocol::RequestHeader header{.request_api_key = line["apiKey"].get<std::int16_t>(),
                                       .request_api_version = start->version,
                                       .correlation_id = start->correlation_id,
                                       .client_id = start->client_id};
  write(writer, header, line["headerVersion"].get<std::int16_t>());
  CHECK(to_hex(header_bytes.view()) == to_hex(frame.first(reader.offset())));
}

void check_response(const json& line, std::span<const std::byte> frame, const std::string& whole) {
  const ApiInfo* api = protocol::find_api(line["apiKey"].get<std::int16_t>());
  REQUIRE(api != nullptr);
  const auto version = line["version"].get<std::int16_t>();
  const auto correlation_id = line["correlationId"].get<std::int32_t>();
  const auto body = frame.subspan(line["headerBytes"].get<std::size_t>());
  CHECK(protocol::response_header_version(*api, version) == line["headerVersion"].get<int>());
  check_body(line, body);

  protocol::ResponseBuffer buffer;
  buffer.bytes.append(std::as_bytes(std::span("before", 6)));
  if (line["case"] == "unsupported-version") {
    protocol::write_unsupported_api_versions(buffer, correlation_id);
  } else {
    ByteWriter writer(buffer);
    const std::size_t begin = protocol::begin_response(writer, *api, version, correlation_id);
    writer.raw(body);
    REQUIRE(protocol::end_response(writer, begin));
  }
  CHECK(to_hex(buffer.bytes.view().subspan(6)) == whole);
}

TEST_CASE("whole frames are read and written as Kafka does") {
  for_each_vector("frames", [](const json& line) {
    INFO(line["name"] << " version " << line["version"] << " case " << line["case"]);
    const auto hex = line["hex"].get<std::string>();
    const auto bytes = from_hex(hex);
    REQUIRE(bytes.size() >= 4);
    ByteReader size(bytes);
    CHECK(static_cast<std::size_t>(size.int32()) == bytes.size() - 4);
    const auto frame = std::span(bytes).subspan(4);
    if (line["kind"] == "request")
      check_request(line, frame);
    else
      check_response(line, frame, hex);
  });
}

}  // namespace
}  // namespace cohort::golden
