#include "server/storage/sparse_index.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "protocol/batch/crc32c.h"
#include "server/storage/checkpoint.h"

namespace cohort::storage {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// Batch k: 1000 bytes, offsets 100 + 2k and 101 + 2k, timestamps rising to 50 + k, but for a peak at batch 40.
SparseIndex sample(int batches) {
  SparseIndex index(100);
  for (int k = 0; k < batches; ++k) index.add(1000, 102 + 2 * k, k == 40 ? 1000 : 50 + k);
  return index;
}

TEST_CASE("The floor of an offset is at most an interval and a batch before it", "[sparse_index]") {
  const SparseIndex index = sample(200);
  CHECK(index.summary() == SegmentSummary{100, 500, 200'000, 1000});
  for (int k = 0; k < 200; ++k) {
    const auto floor = index.floor_by_offset(101 + 2 * k);
    const std::uint64_t exact = std::uint64_t(k) * 1000;
    REQUIRE(floor.position <= exact);
    REQUIRE(exact - floor.position < SparseIndex::kIntervalBytes + 1000);
    REQUIRE(floor.offset == 100 + 2 * std::int64_t(floor.position) / 1000);
  }
}

TEST_CASE("The floor of a timestamp is before the first batch that reaches it", "[sparse_index]") {
  const SparseIndex index = sample(200);
  for (int timestamp = 0; timestamp <= 1000; ++timestamp) {
    const int first = timestamp <= 50 ? 0 : timestamp < 90 ? timestamp - 50 : 40;
    const auto floor = index.floor_by_timestamp(timestamp);
    REQUIRE(floor.position <= std::uint64_t(first) * 1000);
    REQUIRE(std::uint64_t(first) * 1000 - floor.position < SparseIndex::kIntervalBytes + 1000);
  }
}

TEST_CASE("Cutting goes back to what it was", "[sparse_index]") {
  for (int kept = 0; kept < 60; ++kept) {
    SparseIndex index = sample(60);
    index.cut(sample(kept).summary());
    CHECK(index == sample(kept));
  }
}

TEST_CASE("An index file is read back; any flipped byte and any other length is seen", "[sparse_index]") {
  const std::string bytes = sample(100).to_bytes();
  CHECK(*SparseIndex::parse(bytes_of(bytes)) == sample(100));
  CHECK(*SparseIndex::parse_summary(bytes_of(bytes).first(SparseIndex::kSummaryBytes)) == sample(100).summary());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    REQUIRE_FALSE(SparseIndex::parse(bytes_of(damaged)));
    REQUIRE_FALSE(SparseIndex::parse(bytes_of(bytes).first(i)));
  }
  REQUIRE_FALSE(SparseIndex::parse(bytes_of(bytes + "x")));
}

TEST_CASE("A checkpoint is read back", "[checkpoint]") {
  const Checkpoint checkpoint{"abc-1", 5, 77, 60, 4096, {.bytes = 16'777'216, .one_batch = true}, 60, 55};
  CHECK(*parse_checkpoint(to_text(checkpoint)) == checkpoint);
  CHECK(parse_checkpoint("version=2\n").error().kind == ErrorKind::kUnsupported);
  CHECK(parse_checkpoint("").error().kind == ErrorKind::kCorrupt);
  for (const Checkpoint& impossible :
       {Checkpoint{"", 0, 60, 60, 0, {}, 61, 0}, Checkpoint{"", 0, 60, 60, 0, {}, 50, 51}}) {
    CHECK(parse_checkpoint(to_text(impossible)).error().kind == ErrorKind::kCorrupt);
  }
}

}  // namespace
}  // namespace cohort::storage
