// Slow pure work that a coordinator hands out: the driver runs it on a worker thread (the simulation: some steps later)
// and brings the result back as an input. A job owns its input; a result that no longer fits is dropped by the
// coordinator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <variant>

#include "protocol/types/ids.h"
#include "server/coordinator/core/assignment.h"

namespace cohort::coordinator {

// The topics that each of a group's regular expressions matches.
struct ResolvedRegexes {
  std::map<std::string, std::set<protocol::TopicName>> topics_by_regex;
  std::int64_t metadata_version = 0;
  std::int64_t started_wall_ms = 0;
};

// A target assignment computed for an epoch of the group.
struct ComputedAssignment {
  protocol::GroupEpoch epoch;
  GroupAssignment assignment;
  // Who held which instance id when the job began: a static member may be replaced while it runs.
  std::map<protocol::InstanceId, protocol::MemberId> static_members;
  // The last deletion of any group when the job began: with it a group that was made anew since is told apart.
  std::int64_t last_deletion = -1;
};

struct JobResult {
  protocol::GroupId group;
  std::variant<ResolvedRegexes, ComputedAssignment> result;
};

struct Job {
  // May come back early, with any result, once the process is to end: nobody takes it then.
  std::function<JobResult(const std::stop_token& ending)> run;
};

}  // namespace cohort::coordinator
