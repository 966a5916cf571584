// What a run of many seeds must have seen, and how often: a simulation that no longer reaches something proves nothing
// about it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace cohort::sim {

// Prints how often everything occurred, and beside it what was to be expected. steps: of all seeds. Returns how many
// things occurred too rarely.
int report_coverage(const std::map<std::string, std::uint64_t>& counts, std::uint64_t steps);

}  // namespace cohort::sim
