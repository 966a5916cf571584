#include <catch2/catch.hpp>

#include "protocol/records/group_record.h"
#include "protocol/wire/big_endian.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol {
namespace {

std::int16_t written_version_of(const GroupRecord& record) {
  ByteBuffer key;
  ByteBuffer value;
  const auto written = write_group_record(record, key, value);
  REQUIRE(written);
  REQUIRE(*written);
  return load_big_endian<std::int16_t>(value.data());
}

TEST_CASE("values are written in the versions that Kafka 4.3.1 uses") {
  CHECK(written_version_of(OffsetCommitRecord{.key = {}, .value = OffsetCommitValue{}}) == 4);
  CHECK(written_version_of(OffsetCommitRecord{.key = {}, .value = OffsetCommitValue{.expire_timestamp = 5}}) == 1);
  CHECK(written_version_of(GroupMetadataRecord{.key = {}, .value = GroupMetadataValue{}}) == 3);
  CHECK(written_version_of(ConsumerGroupMetadataRecord{.key = {}, .value = ConsumerGroupMetadataValue{}}) == 0);
}

TEST_CASE("a tombstone has no value") {
  ByteBuffer key;
  ByteBuffer value;
  const GroupRecord record = ConsumerGroupMetadataRecord{.key = {.group_id = "g"}};
  const auto written = write_group_record(record, key, value);
  REQUIRE(written);
  CHECK_FALSE(*written);
  CHECK(value.empty());
  const auto back = parse_group_record(key.view(), std::nullopt);
  REQUIRE(back);
  CHECK(*back == record);
  CHECK(to_line(record) == R"(ConsumerGroupMetadata {"groupId":"g"} = tombstone)");
}

TEST_CASE("what a newer program wrote is told apart from damage") {
  const std::byte unknown_type[] = {std::byte{0x7f}, std::byte{0x00}};
  auto got = parse_group_record(unknown_type, std::nullopt);
  REQUIRE_FALSE(got);
  CHECK(got.error().kind == ErrorKind::kUnsupported);
  CHECK(got.error().message == "unknown record type 32512");

  ByteBuffer key;
  ByteBuffer value;
  REQUIRE(write_group_record(ConsumerGroupMetadataRecord{.key = {.group_id = "g"}}, key, value));
  const std::byte newer[] = {std::byte{0}, std::byte{9}, std::byte{0}};
  got = parse_group_record(key.view(), newer);
  REQUIRE_FALSE(got);
  CHECK(got.error().kind == ErrorKind::kUnsupported);

  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{3}}) {
    got = parse_group_record(key.view().first(size), std::nullopt);
    REQUIRE_FALSE(got);
    CHECK(got.error().kind == ErrorKind::kMalformed);
  }
  got = parse_group_record(key.view(), std::span(newer).first(1));
  REQUIRE_FALSE(got);
  CHECK(got.error().kind == ErrorKind::kMalformed);
}

TEST_CASE("a record that cannot be written is refused") {
  ByteBuffer key;
  ByteBuffer value;
  const auto written =
      write_group_record(ConsumerGroupMetadataRecord{.key = {.group_id = std::string(40'000, 'g')}}, key, value);
  REQUIRE_FALSE(written);
  CHECK(written.error().kind == ErrorKind::kInvalid);
}

}  // namespace
}  // namespace cohort::protocol
