// What one turn of a reactor may take, and in which order the rooms learn of a change.
#include <atomic>
#include <catch2/catch.hpp>

#include "tests/unit/topics/harness.h"

namespace cohort::topics {
namespace {

using storage::MemFs;

TEST_CASE("a request whose batches decompress to much does not hold up its reactor, and is not overtaken") {
  MemFs fs;
  StoreHarness store(fs, {}, 1);
  store.start();
  const auto id = store.create("t", 1).id;
  const auto batch = make_batch(1, {}, 1000, std::size_t{4} << 20, protocol::Compression::kZstd);
  std::promise<void> done;
  std::vector<std::string> events;
  const auto produce = [&](int entries, const std::string& name, std::function<void()> then) {
    ProduceCall call{.acks = -1, .version = 9, .partitions = {}};
    for (int i = 0; i < entries; ++i) call.partitions.push_back({{id, 0}, as_bytes(batch)});
    store.store().produce(std::move(call), [&events, name, then](const std::vector<ProducedPartition>& produced) {
      events.push_back(name + " at " + std::to_string(produced.front().base_offset));
      then();
    });
  };
  store.pool()[0].post([&] {
    store.pool()[0].post([&] { events.emplace_back("another"); });  // waits for its turn while the first is begun
    produce(5, "first", [] {});
    produce(1, "second", [&] { done.set_value(); });
  });
  StoreHarness::get(done.get_future());
  CHECK(events == std::vector<std::string>{"another", "first at 0", "second at 5"});
}

TEST_CASE("whoever follows the catalogue is told of a change before anybody can see it") {
  MemFs fs;
  StoreHarness store(fs);
  store.start();
  std::atomic<bool> was_visible{false};
  std::atomic<int> told{0};
  StoreHarness::get(store.begin<int>(0, [&](auto done) {
    store.store().on_snapshot([&](const std::shared_ptr<const CatalogueSnapshot>& snapshot) {
      was_visible = was_visible || store.store().snapshot()->version() >= snapshot->version();
      ++told;
    });
    done(0);
  }));
  store.create("a", 1);
  store.create("b", 1);
  CHECK(told == 2);
  CHECK_FALSE(was_visible);
}

}  // namespace
}  // namespace cohort::topics
