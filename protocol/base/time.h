// Time is an input. A step of a shard or a partition is given one Now, taken once by the driver around it; nothing
// below reads a clock. Deadlines are monotonic, timestamps in records are wall time.
#pragma once

#include <chrono>
#include <cstdint>

namespace cohort {

using Duration = std::chrono::milliseconds;

// A clock type without now(): its time points can be compared and moved, never asked for.
struct MonoClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoClock>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoClock::time_point;

struct Now {
  MonoTime mono;
  std::int64_t wall_ms = 0;  // milliseconds since the Unix epoch
};

}  // namespace cohort
