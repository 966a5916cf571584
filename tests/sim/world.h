// What everything in one run of the simulation shares: virtual time, the events to come, randomness, counts, the trace.
// One thread, no clock: the same seed gives the same run, and the trace's hash says whether it did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <queue>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/base/time.h"

namespace cohort::sim {

// A rule does not hold. Ends the run; main() says which seed.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random(seed) {}

  Now now() const { return {.mono = mono_, .wall_ms = wall_start_ms_ + mono_.time_since_epoch().count()}; }
  // The wall clock is set forward, as after a night in which the machine slept.
  void jump_wall(Duration by) { wall_start_ms_ += by.count(); }
  // Runs later; events of the same time in the order they were made.
  void after(Duration delay, std::function<void()> run) {
    events_.push({mono_ + delay, next_event_++, std::move(run)});
  }
  // False when nothing will happen any more.
  bool step() {
    if (events_.empty()) return false;
    Event event = std::move(const_cast<Event&>(events_.top()));  // popped at once
    events_.pop();
    mono_ = event.at;
    ++steps_;
    event.run();
    return true;
  }
  std::uint64_t steps() const { return steps_; }

  // Uniform in [low, high].
  std::int64_t pick(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(double probability) { return static_cast<double>(random() >> 11) * 0x1.0p-53 < probability; }
  Duration delay(std::int64_t low_ms, std::int64_t high_ms) { return Duration(pick(low_ms, high_ms)); }

  void count(std::string_view what) { ++counts_[std::string(what)]; }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }

  // A line of the trace: only its hash is kept, the text is printed with --trace.
  void trace(std::string_view line);
  std::uint64_t trace_hash() const { return trace_hash_; }
  bool print_trace = false;

  std::mt19937_64 random;

 private:
  struct Event {
    MonoTime at;
    std::uint64_t number;
    std::function<void()> run;
    friend bool operator<(const Event& a, const Event& b) {  // the top of the queue is the earliest
      return std::pair(a.at, a.number) > std::pair(b.at, b.number);
    }
  };

  MonoTime mono_{};
  std::int64_t wall_start_ms_ = 1'700'000'000'000;
  std::priority_queue<Event> events_;
  std::uint64_t next_event_ = 0;
  std::uint64_t steps_ = 0;
  std::map<std::string, std::uint64_t> counts_;
  std::uint64_t trace_hash_ = 0xcbf29ce484222325;
};

}  // namespace cohort::sim
