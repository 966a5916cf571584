#include "server/runtime/timer_queue.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>

namespace cohort::runtime {
namespace {

MonoTime at(std::int64_t ms) {
  return MonoTime(Duration(ms));
}

TEST_CASE("The earliest deadline comes first, equal ones by key") {
  TimerQueue<std::string> queue;
  CHECK_FALSE(queue.next_deadline().has_value());
  queue.set("b", at(2));
  queue.set("c", at(1));
  queue.set("a", at(2));
  CHECK(queue.next_deadline() == at(1));
  CHECK_FALSE(queue.pop_due(at(0)).has_value());
  CHECK(queue.pop_due(at(9)) == "c");
  CHECK(queue.pop_due(at(9)) == "a");
  CHECK(queue.pop_due(at(9)) == "b");
  CHECK_FALSE(queue.pop_due(at(9)).has_value());
  CHECK(queue.size() == 0);
}

TEST_CASE("The queue behaves like a map that is searched for its smallest deadline") {
  TimerQueue<int> queue;
  std::map<int, MonoTime> model;
  std::mt19937 random(7);
  for (int step = 0; step < 20'000; ++step) {
    const int key = static_cast<int>(random() % 50);
    switch (random() % 3) {
      case 0:
        queue.cancel(key);
        model.erase(key);
        break;
      case 1: {
        const MonoTime deadline = at(static_cast<std::int64_t>(random() % 100));
        queue.set(key, deadline);
        model[key] = deadline;
        break;
      }
      default: {
        const MonoTime now = at(static_cast<std::int64_t>(random() % 100));
        auto first = model.end();
        for (auto it = model.begin(); it != model.end(); ++it) {
          if (it->second <= now && (first == model.end() || it->second < first->second)) first = it;
        }
        const auto due = queue.pop_due(now);
        REQUIRE(due.has_value() == (first != model.end()));
        if (due) {
          REQUIRE(*due == first->first);
          model.erase(first);
        }
      }
    }
    REQUIRE(queue.size() == model.size());
  }
}

}  // namespace
}  // namespace cohort::runtime
