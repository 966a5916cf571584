// Bad schemas stop the build with one line: file, field, reason.
#include "codegen/parse.h"

#include <catch2/catch.hpp>

#include "codegen/emit.h"
#include "codegen/naming.h"
#include "codegen/validate.h"

namespace cohort::codegen {
namespace {

// A sound request with `fields` in it, and `extra` keys.
std::string schema(const std::string& fields, const std::string& extra = "") {
  return R"({"apiKey": 1, "type": "request", "listeners": ["broker"], "name": "FooRequest", "validVersions": "0-2", )" +
         extra + R"("flexibleVersions": "1+", "fields": [)" + fields + "]}";
}

std::string problem(const std::string& text) {
  const auto message = parse_schema(text, "FooRequest.json", "");
  return message ? "" : message.error();
}

TEST_CASE("a sound schema") {
  const auto message =
      parse_schema(schema(R"({"name": "GroupId", "type": "string", "versions": "0+", "about": "The group."},
                {"name": "Old", "type": "[]OldThing", "versions": "3+",
                 "fields": [{"name": "X", "type": "int8", "versions": "3+"}]},
                {"name": "Epoch", "type": "int32", "versions": "1+", "default": "0x7f", "ignorable": true})"),
                   "FooRequest.json", "");
  REQUIRE(message);
  REQUIRE(message->body.fields.size() == 2);  // Old is in no valid version
  CHECK(message->structs.empty());
  CHECK(message->body.fields[1].versions == VersionRange{1, 2});
  CHECK(message->body.fields[1].default_value.text == "127");
  CHECK(emit_header(*message).find("  // The group.\n  Text group_id{};\n") != std::string::npos);
}

TEST_CASE("what is not JSON or no object") {
  CHECK(problem("{") == "FooRequest.json: is not JSON");
  CHECK(problem("[]") == "FooRequest.json: is not a JSON object");
}

TEST_CASE("keys") {
  CHECK(problem(schema("", R"("colour": 1, )")) == R"(FooRequest.json: unknown key "colour")");
  CHECK(problem(schema(R"({"name": "A", "type": "int8", "versions": "0+", "nullable": "0+"})")) ==
        R"(FooRequest.json: A: unknown key "nullable")");
  CHECK(problem(schema(R"({"name": "A", "versions": "0+"})")) == R"(FooRequest.json: A: "type" is missing)");
  CHECK(problem(schema(R"({"name": "A", "type": "int8"})")) == R"(FooRequest.json: A: "versions" is missing)");
  CHECK(problem(schema(R"({"name": "A", "type": "int8", "versions": "0+", "ignorable": "yes"})")) ==
        R"(FooRequest.json: A: "ignorable" is not true or false)");
}

TEST_CASE("version ranges") {
  for (const char* range : {"", "x", "1-", "2-1", "-1", "1+2", "1 +", "0-99999"}) {
    const std::string field = std::string(R"({"name": "A", "type": "int8", "versions": ")") + range + "\"}";
    CHECK(problem(schema(field)) ==
          std::string(R"(FooRequest.json: A: "versions" is no version range: ")") + range + "\"");
  }
}

TEST_CASE("types and defaults") {
  const auto field = [](const std::string& type, const std::string& value) {
    return problem(schema(R"({"name": "A", "versions": "0+", "type": ")" + type + R"(", "default": )" + value + "}"));
  };
  CHECK(field("int9", "0") == R"(FooRequest.json: A: unknown type "int9")");
  CHECK(field("int8", "128") == "FooRequest.json: A: the default 128 does not fit the type");
  CHECK(field("int8", "\"many\"") == "FooRequest.json: A: the default is no number");
  CHECK(field("uint16", "-1") == "FooRequest.json: A: the default -1 does not fit the type");
  CHECK(field("bool", "1") == "FooRequest.json: A: the default is neither true nor false");
  CHECK(field("string", "5") == "FooRequest.json: A: the default is no string");
  CHECK(field("string", "\"null\"") == "FooRequest.json: A: the default is null but the field never is");
  CHECK(field("[]int32", "\"1\"") ==
        "FooRequest.json: A: only null can be the default of an array, struct, bytes or records");
  CHECK(field("Missing", "null") == R"(FooRequest.json: A: unknown struct "Missing")");
}

TEST_CASE("tags") {
  const auto tagged = [](const std::string& name, const std::string& tag, const std::string& versions = "1+") {
    return R"({"name": ")" + name + R"(", "type": "int8", "versions": ")" + versions + R"(", "taggedVersions": ")" +
           versions + R"(", "tag": )" + tag + "}";
  };
  CHECK(problem(schema(tagged("A", "0") + "," + tagged("B", "1"))).empty());
  CHECK(problem(schema(tagged("A", "0") + "," + tagged("B", "0"))) == "FooRequest.json: B: tag 0 comes twice");
  CHECK(problem(schema(tagged("A", "0") + "," + tagged("B", "2"))) ==
        "FooRequest.json: tags are not contiguous from 0");
  CHECK(problem(schema(tagged("A", "0", "0+"))) == "FooRequest.json: A: is tagged in a version that is not flexible");
  CHECK(problem(schema(tagged("A", "0", "1-2"))) ==
        R"(FooRequest.json: A: a tag cannot be taken away again: "taggedVersions" must end with +)");
  CHECK(problem(schema(R"({"name": "A", "type": "int8", "versions": "1+", "tag": 0})")) ==
        R"(FooRequest.json: A: "tag" and "taggedVersions" go together)");
}

TEST_CASE("names and structs") {
  const std::string thing =
      R"("type": "Thing", "versions": "0+", "fields": [{"name": "X", "type": "int8", "versions": "0+"}])";
  CHECK(problem(schema("{\"name\": \"A\", " + thing + "}")).empty());
  CHECK(problem(schema("{\"name\": \"A\", " + thing + "}, {\"name\": \"B\", " + thing + "}")) ==
        "FooRequest.json: Thing: the struct is defined twice");
  CHECK(problem(
            schema("{\"name\": \"A\", " + thing + "}, {\"name\": \"A\", \"type\": \"int8\", \"versions\": \"0+\"}")) ==
        "FooRequest.json: A: the name comes twice");
  CHECK(problem(schema(R"({"name": "A", "type": "[]Loop", "versions": "0+", "fields": [
                            {"name": "B", "type": "[]Loop", "versions": "0+"}]})")) ==
        "FooRequest.json: Loop: the struct contains itself");
  CHECK(parse_schema(schema(""), "Bar.json", "").error() ==
        "Bar.json: the file is named Bar but the message FooRequest");
}

TEST_CASE("a request without a response") {
  const auto message = parse_schema(schema(""), "FooRequest.json", "");
  REQUIRE(message);
  CHECK(validate_all({*message}) == "FooRequest.json: there is no counterpart with key 1");
}

TEST_CASE("names in C++") {
  CHECK(snake_case("ConsumerGroupHeartbeatRequest") == "consumer_group_heartbeat_request");
  CHECK(snake_case("V3AndBelowTopics") == "v3_and_below_topics");
  CHECK(snake_case("KRaftVersion") == "k_raft_version");
  CHECK(snake_case("memberId") == "member_id");
  CHECK(member_name("Operator") == "operator_");
  CHECK(json_name("ErrorCode") == "errorCode");
}

}  // namespace
}  // namespace cohort::codegen
