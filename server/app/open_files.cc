#include "server/app/open_files.h"

#include <sys/resource.h>

#include <algorithm>

#include "protocol/base/log.h"

namespace cohort::app {
namespace {

// Closed segments that stay open for reading (LogSetOptions::open_segments), the reactors' own files, and what is open
// for a moment: new segments, indexes, snapshots.
constexpr std::uint64_t kReserve = 256;
constexpr std::uint64_t kLeast = 64;  // of each, however few there are: __consumer_offsets has to be opened in any case

}  // namespace

OpenFiles share_open_files(std::uint64_t limit) {
  const std::uint64_t spare = limit > kReserve ? limit - kReserve : 0;
  const std::uint64_t half = std::max(spare / 2, kLeast);
  return {.partitions = half, .connections = half};
}

std::uint64_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur == limit.rlim_max) return limit.rlim_cur;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) == 0) return limit.rlim_cur;
  log::warn("Server", "The limit of open files cannot be raised from {}", before);
  return before;
}

}  // namespace cohort::app
