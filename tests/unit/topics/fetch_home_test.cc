#include "server/topics/fetch_home.h"

#include <catch2/catch.hpp>
#include <limits>

#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

// So many batches in a row.
FetchedPartition fetched(int batches, const std::vector<std::byte>& batch) {
  std::vector<std::byte> bytes;
  for (int i = 0; i < batches; ++i) bytes.insert(bytes.end(), batch.begin(), batch.end());
  FetchedPartition partition;
  partition.records = as_bytes(std::move(bytes));
  return partition;
}

TEST_CASE("parts that were read apart are cut to one budget, in whole batches") {
  const auto batch = make_batch(1);
  const auto one = static_cast<std::int32_t>(batch.size());
  struct Row {
    const char* what;
    std::vector<int> read;
    std::vector<std::int32_t> limits;  // of the partitions
    std::int32_t max_bytes;
    std::vector<int> kept;
  };
  const Row rows[] = {
      {"room for all", {2, 0, 1}, {9 * one, 9 * one, 9 * one}, 9 * one, {2, 0, 1}},
      {"exactly all", {2, 1}, {9 * one, 9 * one}, 3 * one, {2, 1}},
      {"a byte too few", {2, 1}, {9 * one, 9 * one}, 3 * one - 1, {2, 0}},
      {"cut within a partition", {2, 3}, {9 * one, 9 * one}, 4 * one, {2, 2}},
      {"the first comes whole", {1, 1}, {9 * one, 9 * one}, 1, {1, 0}},
      {"the first with records, not the first", {0, 2, 1}, {1, 1, one}, 5 * one, {0, 1, 1}},
      {"whole beyond its own limit only at the front", {1, 1}, {one, 1}, 5 * one, {1, 0}},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    FetchCall call;
    std::vector<FetchedPartition> results;
    for (std::size_t i = 0; i < row.read.size(); ++i) {
      call.partitions.push_back({{}, 0, row.limits[i], -1});
      results.push_back(fetched(row.read[i], batch));
    }
    cut_to_budget(call, static_cast<std::size_t>(row.max_bytes), results);
    for (std::size_t i = 0; i < row.read.size(); ++i) {
      INFO("partition " << i);
      CHECK(results[i].records.size() == batch.size() * static_cast<std::size_t>(row.kept[i]));
    }
  }
}

// A home whose parts answer when the test says so. The reactor's loop does not run; what it sends itself waits.
struct Home {
  reactor::Reactor reactor{0, 1};
  std::vector<FetchPart> fetched_parts;
  std::vector<std::size_t> finished;
  std::vector<std::size_t> cancelled;
  std::optional<std::vector<FetchedPartition>> answer;
  std::vector<std::byte> batch = make_batch(1);
  FetchHome home{reactor,
                 {.fetch = [this](std::size_t, FetchPart part) { fetched_parts.push_back(std::move(part)); },
                  .finish = [this](std::size_t, std::uint64_t, std::size_t part) { finished.push_back(part); },
                  .cancel = [this](std::size_t at, std::uint64_t) { cancelled.push_back(at); },
                  .reactor_of = [](const PartitionId& id) { return static_cast<std::size_t>(id.partition % 2); }},
                 1 << 20};

  std::uint64_t start(std::int32_t min_bytes, std::int32_t max_wait_ms = 1'000'000) {
    FetchCall call;
    call.min_bytes = min_bytes;
    call.max_bytes = 1 << 20;
    call.max_wait_ms = max_wait_ms;
    for (std::int32_t p : {0, 1, 2}) call.partitions.push_back({{{}, p}, 0, 1 << 20, -1});
    return home.start(std::move(call), [this](std::vector<FetchedPartition> got) { answer = std::move(got); });
  }
  // Part 0 has partitions 0 and 2, part 1 has partition 1.
  void result(std::uint64_t id, std::size_t part, std::vector<int> batches, bool parked) {
    FetchPartResult result;
    for (const int count : batches) result.partitions.push_back(fetched(count, batch));
    result.parked = parked;
    home.on_result(id, part, std::move(result));
  }
  std::int32_t bytes(int batches) const { return static_cast<std::int32_t>(batch.size()) * batches; }
};

TEST_CASE("a fetch has one part for each reactor and is answered in the order of the request") {
  Home h;
  const auto id = h.start(1);
  REQUIRE(h.fetched_parts.size() == 2);
  CHECK(h.fetched_parts[0].partitions.size() == 2);
  CHECK(h.fetched_parts[0].min_bytes == 1);
  CHECK_FALSE(h.fetched_parts[0].tell_progress);
  h.result(id, 1, {3}, false);
  CHECK_FALSE(h.answer);
  h.result(id, 0, {1, 2}, false);
  REQUIRE(h.answer);
  CHECK(h.answer->at(0).records.size() == h.batch.size());
  CHECK(h.answer->at(1).records.size() == 3 * h.batch.size());
  CHECK(h.answer->at(2).records.size() == 2 * h.batch.size());
  CHECK(h.cancelled.empty());
}

TEST_CASE("parts that do not wait are asked not to park") {
  Home h;
  h.start(1, 0);
  CHECK(h.fetched_parts[0].min_bytes == 0);
}

TEST_CASE("one part has enough: the parked one is let go") {
  Home h;
  const auto id = h.start(1);
  h.result(id, 0, {0, 0}, true);
  h.result(id, 1, {1}, false);
  REQUIRE(h.answer);
  CHECK(h.cancelled == std::vector<std::size_t>{0});
}

TEST_CASE("all parts park; the one that wakes brings its records") {
  Home h;
  const auto id = h.start(1);
  h.result(id, 0, {0, 0}, true);
  h.result(id, 1, {0}, true);
  CHECK_FALSE(h.answer);
  h.result(id, 1, {2}, false);
  REQUIRE(h.answer);
  CHECK(h.answer->at(1).records.size() == 2 * h.batch.size());
  CHECK(h.cancelled == std::vector<std::size_t>{0});
}

TEST_CASE("parts that have enough only together are read once more") {
  Home h;
  const auto id = h.start(h.bytes(4));
  CHECK(h.fetched_parts[0].tell_progress);
  h.result(id, 0, {1, 0}, true);
  h.result(id, 1, {0}, true);
  h.home.on_progress(id, 1, h.batch.size() * 2);
  CHECK(h.finished.empty());
  h.home.on_progress(id, 1, h.batch.size() * 3);
  CHECK(h.finished == std::vector<std::size_t>{0, 1});
  h.result(id, 0, {1, 0}, false);
  CHECK_FALSE(h.answer);
  h.result(id, 1, {3}, false);
  REQUIRE(h.answer);
  CHECK(h.cancelled.empty());
}

TEST_CASE("a fetch that waits keeps little of what it has read, and reads it again") {
  Home h;
  h.batch = make_batch(1, {}, 1000, 40'000);
  const auto id = h.start(h.bytes(4));
  h.result(id, 0, {1, 1}, true);
  h.result(id, 1, {0}, true);
  h.result(id, 1, {4}, false);  // it has enough alone, but the others' records are gone
  CHECK_FALSE(h.answer);
  CHECK(h.finished == std::vector<std::size_t>{0});
  h.result(id, 0, {1, 1}, false);
  REQUIRE(h.answer);
  CHECK(h.answer->at(0).records.size() == h.batch.size());
  CHECK(h.answer->at(1).records.size() == 4 * h.batch.size());
}

TEST_CASE("no fetch waits for more than it may bring") {
  Home h;
  const auto id = h.start(std::numeric_limits<std::int32_t>::max());
  CHECK(h.fetched_parts[0].min_bytes == 1 << 20);
  h.batch = make_batch(1, {}, 1000, 1 << 20);
  h.result(id, 0, {1, 0}, false);
  h.result(id, 1, {0}, true);
  CHECK(h.answer);
}

TEST_CASE("a part that woke while it was to finish is not waited for twice") {
  Home h;
  const auto id = h.start(h.bytes(4));
  h.result(id, 0, {0, 0}, true);
  h.result(id, 1, {0}, true);
  h.home.on_progress(id, 0, h.batch.size() * 4);
  CHECK(h.finished.size() == 2);
  h.result(id, 0, {4, 0}, false);  // it woke by itself; the word that it is gone follows
  h.home.on_gone(id, 0);
  h.result(id, 1, {0}, false);
  REQUIRE(h.answer);
  CHECK(h.answer->at(0).records.size() == 4 * h.batch.size());
  h.home.on_gone(id, 1);  // late words are passed over
  h.home.on_progress(id, 1, 1);
}

TEST_CASE("an error in any partition answers at once") {
  Home h;
  const auto id = h.start(1);
  h.result(id, 0, {0, 0}, true);
  FetchPartResult failed;
  failed.partitions.emplace_back().error = protocol::ErrorCode::kOffsetOutOfRange;
  h.home.on_result(id, 1, std::move(failed));
  REQUIRE(h.answer);
  CHECK(h.answer->at(1).error == protocol::ErrorCode::kOffsetOutOfRange);
  CHECK(h.cancelled == std::vector<std::size_t>{0});
}

TEST_CASE("a part that could not park ends the waiting") {
  Home h;
  const auto id = h.start(1);
  h.result(id, 0, {0, 0}, false);
  h.result(id, 1, {0}, true);
  CHECK(h.finished == std::vector<std::size_t>{1});
  h.result(id, 1, {0}, false);
  CHECK(h.answer);
}

TEST_CASE("a cancelled fetch lets its parts go, whether they parked yet or not") {
  Home h;
  const auto id = h.start(1);
  h.result(id, 0, {0, 0}, true);
  h.home.cancel(id);
  CHECK(h.cancelled == std::vector<std::size_t>{0, 1});
  h.result(id, 1, {1}, false);
  CHECK_FALSE(h.answer);
}

}  // namespace
}  // namespace cohort::topics
