#include <catch2/catch.hpp>
#include <unordered_set>

#include "protocol/types/error_code.h"
#include "protocol/types/ids.h"

namespace cohort::protocol {
namespace {

TEST_CASE("a uuid is printed and parsed as Kafka does") {
  CHECK(Uuid::zero().to_string() == "AAAAAAAAAAAAAAAAAAAAAA");
  CHECK(Uuid(0, 1).to_string() == "AAAAAAAAAAAAAAAAAAAAAQ");  // the id of Kafka's metadata topic
  CHECK(Uuid(~0ULL, ~0ULL).to_string() == "_____________________w");
  const Uuid id(0x0123456789abcdefU, 0xfedcba9876543210U);
  CHECK(Uuid::parse(id.to_string()) == id);
  CHECK(Uuid::parse(id.to_string() + "==") == id);
}

TEST_CASE("what is no uuid is not parsed") {
  for (const char* text : {"", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA+",
                           "AAAAAAAAAAAAAAAAAAAAAB",  // bits behind the 128th
                           "AAAAAAAAAAA AAAAAAAAAA"}) {
    INFO(text);
    CHECK_FALSE(Uuid::parse(text).has_value());
  }
}

TEST_CASE("uuids are ordered by their bytes") {
  CHECK(Uuid(1, 0) > Uuid(0, ~0ULL));
  CHECK(Uuid(~0ULL, 0) > Uuid(1, 0));
  CHECK(Uuid(1, 1) < Uuid(1, 2));
}

TEST_CASE("ids hash and format like their values") {
  std::unordered_set<TopicId> topics{TopicId(Uuid(1, 2)), TopicId(Uuid(1, 2)), TopicId(Uuid(2, 1))};
  CHECK(topics.size() == 2);
  CHECK(fmt::format("{} {} {}", GroupId("g"), kLeaveGroupMemberEpoch, TopicId()) == "g -1 AAAAAAAAAAAAAAAAAAAAAA");
}

TEST_CASE("error codes have Kafka's numbers and names") {
  CHECK(to_wire(ErrorCode::kUnknownServerError) == -1);
  CHECK(to_wire(ErrorCode::kUnknownMemberId) == 25);
  CHECK(to_wire(ErrorCode::kFencedMemberEpoch) == 110);
  CHECK(to_wire(ErrorCode::kShareSessionLimitReached) == 133);
  CHECK(name(ErrorCode::kInvalidTopicException) == "INVALID_TOPIC_EXCEPTION");
  CHECK(name(static_cast<ErrorCode>(999)) == "UNKNOWN");
  CHECK(fmt::format("{}", ErrorCode::kNone) == "NONE");
}

}  // namespace
}  // namespace cohort::protocol
