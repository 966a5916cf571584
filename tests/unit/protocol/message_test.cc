// Rules of generated messages that round trips and golden vectors cannot show.
#include <catch2/catch.hpp>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"
#include "protocol/wire/json_writer.h"

namespace cohort::protocol {
namespace {

template <typename Message>
std::string problem_of(const Message& message, std::int16_t version) {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  write(writer, message, version);
  return writer.ok() ? "" : writer.reason();
}

TEST_CASE("a value that the version cannot carry is refused") {
  JoinGroupRequest request{.group_instance_id = "i"};
  CHECK(problem_of(request, 5).empty());
  CHECK(problem_of(request, 4) == "JoinGroupRequest.GroupInstanceId is set, which this version does not have");
}

TEST_CASE("a value that may be ignored is left out") {
  CHECK(problem_of(JoinGroupRequest{.reason = "r"}, 7).empty());
  CHECK(problem_of(JoinGroupRequest{.rebalance_timeout_ms = 5}, 0).empty());
}

TEST_CASE("null is refused where the version does not have it") {
  const MetadataRequest all{.topics = std::nullopt};
  CHECK(problem_of(all, 1).empty());
  CHECK(problem_of(all, 0) == "MetadataRequest.Topics is null, which this version does not allow");
}

TEST_CASE("unknown tags are refused in a version without tags") {
  JoinGroupRequest request;
  request.unknown_tags.append(9, Bytes::copy_of("x"));
  CHECK(problem_of(request, 6).empty());
  CHECK(problem_of(request, 5) == "JoinGroupRequest has tagged fields, which this version does not allow");
}

TEST_CASE("a tag that this version does not know is kept, and not written beside its known self") {
  FetchRequest request;
  request.unknown_tags.append(1, Bytes::copy_of("x"));  // ReplicaState from version 15 on
  CHECK(problem_of(request, 12).empty());
  request.replica_state.replica_id = 3;
  CHECK(problem_of(request, 15) == "an unknown tagged field has the tag of a known one");
}

TEST_CASE("a known tagged field must fill its size") {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  FetchRequest request{.cluster_id = "abc"};
  write(writer, request, 12);
  // The section ends the message: count 1, tag 0, size 4, length 3 + 1, "abc".
  std::vector<std::byte> bytes(buffer.view().begin(), buffer.view().end());
  bytes[bytes.size() - 4] = std::byte{3};
  ByteReader reader(bytes);
  read(reader, request, 12);
  CHECK(std::string(reader.reason()) == "a tagged field does not fill its announced size");
}

TEST_CASE("JSON escapes what must be escaped") {
  ConsumerGroupHeartbeatRequest request{.group_id = "a\"\\\n\x01\xc3\xa9\xff\xed\xa0\x80"};
  std::string json;
  append_json(json, request, 0);
  CHECK(json.starts_with(
      "{\"groupId\":\"a\\\"\\\\\\u000a\\u0001\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\",\"memberId\":"
      "\"\""));
  CHECK(json.find("subscribedTopicRegex") == std::string::npos);
}

TEST_CASE("JSON of blobs and doubles") {
  std::string json;
  JsonWriter writer(json);
  writer.begin_array();
  for (const char* text : {"", "f", "fo", "foo", "foob"}) writer.value(Bytes::copy_of(text));
  writer.value(0.1);
  writer.value(std::numeric_limits<double>::infinity());
  writer.value(std::vector<std::int8_t>{1, -1});
  writer.end_array();
  CHECK(json == R"(["","Zg==","Zm8=","Zm9v","Zm9vYg==",0.1,null,[1,-1]])");
}

}  // namespace
}  // namespace cohort::protocol
