#include "server/runtime/log_replay.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "protocol/batch/batch_builder.h"

namespace cohort::runtime {
namespace {

using protocol::BatchOptions;

std::vector<std::byte> batch_at(std::int64_t base_offset, int records, BatchOptions options = {}) {
  protocol::BatchBuilder builder;
  options.base_offset = base_offset;
  builder.start(options);
  for (int i = 0; i < records; ++i) {
    const std::string key = "key";
    builder.append(1'000, std::as_bytes(std::span(key)), std::nullopt);
  }
  const auto bytes = *builder.finish();
  return {bytes.begin(), bytes.end()};
}

LogChunk chunk_of(const std::vector<std::vector<std::byte>>& batches, std::int64_t next_offset, std::int64_t end) {
  std::vector<std::byte> bytes;
  for (const auto& batch : batches) bytes.insert(bytes.end(), batch.begin(), batch.end());
  return {.batches = protocol::Bytes::copy_of(bytes), .next_offset = next_offset, .durable_end = end};
}

// The offsets of the chunk's records; an error's message instead of the rest.
std::vector<std::int64_t> offsets_of(LogReplay& replay, std::string& error) {
  std::vector<std::int64_t> offsets;
  protocol::RecordView record;
  while (true) {
    const auto more = replay.next(record);
    if (!more) {
      error = more.error().message;
      return offsets;
    }
    if (!*more) return offsets;
    offsets.push_back(record.offset);
  }
}

TEST_CASE("A log is walked chunk by chunk; offsets may jump forward") {
  LogReplay replay;
  replay.start();
  std::string error;
  replay.add(chunk_of({batch_at(5, 2), batch_at(10, 1)}, 11, 20));
  CHECK(offsets_of(replay, error) == std::vector<std::int64_t>{5, 6, 10});
  CHECK_FALSE(replay.has_chunk());
  CHECK_FALSE(replay.is_finished());
  CHECK(replay.next_offset() == 11);
  replay.add(chunk_of({batch_at(18, 1)}, 20, 20));  // the record at 19 was compacted away
  CHECK(offsets_of(replay, error) == std::vector<std::int64_t>{18});
  CHECK(replay.is_finished());
  CHECK(error.empty());
}

TEST_CASE("A log without records is finished after one empty chunk") {
  LogReplay replay;
  replay.start();
  std::string error;
  replay.add(chunk_of({}, 0, 0));
  CHECK(offsets_of(replay, error).empty());
  CHECK(replay.is_finished());
  CHECK(error.empty());
}

TEST_CASE("What cannot be a coordinator's log is an error, never a crash or an endless loop") {
  LogReplay replay;
  replay.start();
  std::string error;
  SECTION("an offset that stood before") {
    replay.add(chunk_of({batch_at(0, 3), batch_at(2, 1)}, 3, 10));
    CHECK(offsets_of(replay, error).size() == 3);
    CHECK_THAT(error, Catch::Contains("offsets 2 to 2"));
  }
  SECTION("an offset behind the durable end") {
    replay.add(chunk_of({batch_at(0, 3)}, 3, 2));
    CHECK(offsets_of(replay, error).empty());
    CHECK_THAT(error, Catch::Contains("0 to 1 was expected"));
  }
  SECTION("half a batch") {
    auto batch = batch_at(0, 3);
    batch.resize(batch.size() - 1);
    replay.add(chunk_of({batch}, 3, 3));
    CHECK(offsets_of(replay, error).empty());
    CHECK_THAT(error, Catch::Contains("incomplete"));
  }
  SECTION("a wrong checksum") {
    auto batch = batch_at(0, 3);
    batch.back() ^= std::byte{1};
    replay.add(chunk_of({batch}, 3, 3));
    CHECK(offsets_of(replay, error).empty());
    CHECK_FALSE(error.empty());
  }
  SECTION("nothing where something should be") {
    replay.add(chunk_of({}, 0, 3));
    CHECK(offsets_of(replay, error).empty());
    CHECK_THAT(error, Catch::Contains("nothing can be read from offset 0"));
  }
  SECTION("a batch of a transaction") {
    BatchOptions options;
    options.is_transactional = true;
    options.producer_id = 7;
    options.producer_epoch = 0;
    options.base_sequence = 0;
    replay.add(chunk_of({batch_at(0, 1, options)}, 1, 1));
    CHECK(offsets_of(replay, error).empty());
    CHECK_THAT(error, Catch::Contains("transaction"));
  }
}

}  // namespace
}  // namespace cohort::runtime
