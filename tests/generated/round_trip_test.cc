#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/generated/message_codec.h"

namespace cohort::protocol::generated {
namespace {

TEST_CASE("every message survives a round trip in every version") {
  for (const MessageCodec& codec : all_messages()) {
    for (std::int16_t version = codec.min_version; version <= codec.max_version; ++version) {
      for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        INFO(codec.name << " version " << version << " seed " << seed);
        CHECK(codec.check_round_trip(seed, version) == "");
      }
    }
  }
}

TEST_CASE("a version that a message does not have is refused") {
  const std::byte nothing{};
  for (const MessageCodec& codec : all_messages()) {
    INFO(codec.name);
    for (const int version : {codec.min_version - 1, codec.max_version + 1}) {
      const auto result = codec.transcode({&nothing, 1}, static_cast<std::int16_t>(version));
      REQUIRE(!result);
      CHECK(result.error().kind == ErrorKind::kUnsupported);
    }
  }
}

}  // namespace
}  // namespace cohort::protocol::generated
