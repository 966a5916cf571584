// What may wait for the catalogue's log at a time.
#include <catch2/catch.hpp>
#include <future>

#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;
using storage::MemFs;

constexpr std::uint64_t kCatalogueLogKey = 0;

// What is submitted for the catalogue's log waits from here on until go has its value.
void hold_catalogue(StoreHarness& store, std::promise<void>& go) {
  REQUIRE(store.threads().submit(kCatalogueLogKey, [wait = go.get_future().share()] { wait.wait(); }));
}

TEST_CASE("changes that wait for the catalogue's log are bounded: one more is throttled") {
  MemFs fs;
  TopicStoreOptions options;
  options.max_pending_changes = 2;
  StoreHarness store(fs, options, 1);
  store.start();
  std::promise<void> go;
  hold_catalogue(store, go);
  const auto begin_create = [&](const char* name) {
    return store.begin<std::vector<CreatedTopic>>(0, [&store, name](auto done) {
      store.store().create_topics({CreateTopic{.name = name, .partitions = 1, .assignments = {}, .configs = {}}}, false,
                                  std::move(done));
    });
  };
  std::vector<std::future<std::vector<CreatedTopic>>> accepted;
  for (const char* name : {"under-way", "first", "second"}) accepted.push_back(begin_create(name));
  CHECK(StoreHarness::get(begin_create("third")).at(0).error == ErrorCode::kThrottlingQuotaExceeded);
  go.set_value();
  for (auto& answer : accepted) {
    const auto created = StoreHarness::get(std::move(answer));
    CHECK(created.at(0).error == ErrorCode::kNone);
  }
  CHECK(store.create("third", 1).error == ErrorCode::kNone);
}

TEST_CASE("those who wait for a producer id are bounded, too") {
  MemFs fs;
  TopicStoreOptions options;
  options.max_pending_changes = 2;
  StoreHarness store(fs, options, 1);
  store.start();
  std::promise<void> go;
  hold_catalogue(store, go);
  const auto begin_id = [&] {
    return store.begin<Result<std::int64_t>>(
        0, [&store](auto done) { store.store().allocate_producer_id(std::move(done)); });
  };
  auto first = begin_id();
  auto second = begin_id();
  const auto third = StoreHarness::get(begin_id());
  REQUIRE_FALSE(third.has_value());
  CHECK(third.error().kind == ErrorKind::kTooLarge);
  go.set_value();
  const auto id = StoreHarness::get(std::move(first));
  REQUIRE(id.has_value());
  const auto next = StoreHarness::get(std::move(second));
  CHECK(next == *id + 1);
}

}  // namespace
}  // namespace cohort::topics
