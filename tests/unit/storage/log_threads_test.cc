#include "server/storage/log_threads.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <numeric>
#include <thread>

namespace cohort::storage {
namespace {

TEST_CASE("Jobs of one key run in order and one at a time, while others run too", "[log_threads]") {
  constexpr int kKeys = 7;
  constexpr int kJobs = 2000;
  std::map<std::uint64_t, std::vector<int>> done;  // each vector is touched by jobs of its key alone
  for (int key = 0; key < kKeys; ++key) done[key].reserve(kJobs);
  {
    LogThreads threads(4);
    for (int i = 0; i < kJobs; ++i) {
      for (int key = 0; key < kKeys; ++key) {
        REQUIRE(threads.submit(key, [&sequence = done[key], i] { sequence.push_back(i); }));
      }
    }
    threads.stop();
    threads.stop();
  }
  std::vector<int> expected(kJobs);
  std::iota(expected.begin(), expected.end(), 0);
  for (const auto& [key, sequence] : done) CHECK(sequence == expected);
}

TEST_CASE("A job that waits does not hold up other keys", "[log_threads]") {
  LogThreads threads(2);
  std::latch second_ran(1);
  REQUIRE(threads.submit(1, [&] { second_ran.wait(); }));
  REQUIRE(threads.submit(2, [&] { second_ran.count_down(); }));
  threads.stop();
  CHECK(second_ran.try_wait());
}

TEST_CASE("stop() runs what was submitted; later jobs are refused and destroyed", "[log_threads]") {
  LogThreads threads(1);
  std::latch may_go(1);
  std::atomic<int> ran{0};
  REQUIRE(threads.submit(1, [&] { may_go.wait(); }));
  for (int i = 0; i < 50; ++i) REQUIRE(threads.submit(i % 3, [&] { ran.fetch_add(1); }));
  may_go.count_down();
  threads.stop();
  CHECK(ran.load() == 50);
  auto owned = std::make_shared<int>(1);
  CHECK_FALSE(threads.submit(1, [owned] {}));
  CHECK(owned.use_count() == 1);
}

TEST_CASE("A job may submit the next one", "[log_threads]") {
  LogThreads threads(2);
  std::latch all(10);
  std::function<void(int)> next = [&](int left) {  // on the log threads: Catch's macros belong to the main thread
    if (left > 1 && !threads.submit(5, [&, left] { next(left - 1); })) std::abort();
    all.count_down();
  };
  REQUIRE(threads.submit(5, [&] { next(10); }));
  all.wait();
  threads.stop();
  CHECK(all.try_wait());
}

TEST_CASE("What a job owns is destroyed when it has run", "[log_threads]") {
  LogThreads threads(1);
  auto owned = std::make_shared<int>(1);
  REQUIRE(threads.submit(1, [owned] {}));
  threads.stop();
  CHECK(owned.use_count() == 1);
}

TEST_CASE("What is still queued when the limit is over is destroyed unrun; what runs is waited for", "[log_threads]") {
  LogThreads threads(1);
  std::promise<void> begun;
  std::promise<void> go;
  bool has_run = false;
  REQUIRE(threads.submit(1, [&] {
    begun.set_value();
    go.get_future().wait();
    has_run = true;
  }));
  begun.get_future().wait();
  auto held = std::make_shared<int>(0);
  bool others_ran = false;
  for (const std::uint64_t key : {1U, 1U, 2U}) REQUIRE(threads.submit(key, [&others_ran, held] { others_ran = true; }));
  // Lets it go once the others were dropped: their hold on `held` is gone.
  std::thread opener([&] {
    while (held.use_count() > 1) std::this_thread::yield();
    go.set_value();
  });
  threads.stop(std::chrono::milliseconds{0});
  opener.join();
  CHECK(has_run);
  CHECK_FALSE(others_ran);
  CHECK_FALSE(threads.submit(3, [] {}));
}

TEST_CASE("A stop with a limit runs what is queued when there is time", "[log_threads]") {
  LogThreads threads(2);
  std::atomic<int> ran = 0;
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(threads.submit(i % 3, [&ran] { ++ran; }));
  threads.stop(std::chrono::hours{1});
  CHECK(ran == 100);
}

}  // namespace
}  // namespace cohort::storage
