// What the server's end does to fetches that wait.
#include <catch2/catch.hpp>

#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

FetchCall fetch_of(const PartitionId& id, std::int32_t max_wait_ms) {
  FetchCall call;
  call.min_bytes = 1;
  call.max_bytes = 1 << 20;
  call.max_wait_ms = max_wait_ms;
  call.partitions.push_back({.id = id, .fetch_offset = 0, .max_bytes = 1 << 20});
  return call;
}

TEST_CASE("the end: fetches that wait are answered, and none waits any more") {
  storage::MemFs fs;
  StoreHarness h(fs);
  h.start();
  const CreatedTopic topic = h.create("t", 8);
  std::vector<std::future<std::vector<FetchedPartition>>> waiting;
  for (std::int32_t partition = 0; partition < 8; ++partition) {
    waiting.push_back(
        h.begin_fetch(fetch_of({topic.id, partition}, 3'600'000), static_cast<std::size_t>(partition % 2)));
  }
  h.store().end_waiting();
  for (auto& fetch : waiting) {
    const auto fetched = h.get(std::move(fetch));
    REQUIRE(fetched.size() == 1);
    CHECK(fetched[0].error == protocol::ErrorCode::kNone);
    CHECK(fetched[0].high_watermark == 0);
    CHECK(fetched[0].records.empty());
  }
  CHECK(h.fetch(fetch_of({topic.id, 0}, 3'600'000)).at(0).error == protocol::ErrorCode::kNone);
}

}  // namespace
}  // namespace cohort::topics
