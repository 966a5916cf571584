#include "tests/sim/world.h"

#include <cstdio>

namespace cohort::sim {

void World::trace(std::string_view line) {
  const auto time = static_cast<long>(mono_.time_since_epoch().count());
  const auto mix = [this](unsigned char byte) { trace_hash_ = (trace_hash_ ^ byte) * 0x100000001b3; };
  for (const char c : std::to_string(time)) mix(static_cast<unsigned char>(c));
  for (const char c : line) mix(static_cast<unsigned char>(c));
  mix('\n');
  if (print_trace) std::printf("%9ld %.*s\n", time, static_cast<int>(line.size()), line.data());
}

}  // namespace cohort::sim
