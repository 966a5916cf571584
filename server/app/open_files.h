// How the open files that the system grants this process are shared out. Each partition of a topic keeps the last
// segment of its log open and each connection is a file: neither may take so many that a log cannot begin a new segment
// or that the next start cannot open what this one was given.
#pragma once

#include <cstdint>

namespace cohort::app {

struct OpenFiles {
  std::uint64_t partitions = 0;   // of all topics together
  std::uint64_t connections = 0;  // of all listeners together
};

// limit: open files of the whole process. Half of what is left beside a reserve goes to each.
OpenFiles share_open_files(std::uint64_t limit);

// Raises the limit of this process as far as the system lets it and gives what it is then.
std::uint64_t raise_open_files();

}  // namespace cohort::app
