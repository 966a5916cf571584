// What must hold of the live state of a shard at any time, whether its records are durable or not.
#pragma once

#include <functional>
#include <string>

#include "protocol/base/time.h"
#include "server/config/group_config.h"
#include "server/coordinator/core/state.h"

namespace cohort::sim {

// One owner per partition, epochs in order, one member per instance id (C1, C2, C7).
void check_groups(const coordinator::GroupState& state);

// Classic groups and rounds: each group has one, a stable round is what the group's record says, nobody waits where
// nothing is to be waited for (C8), and who can be waited for has a deadline that is not over (C10).
void check_rounds(const coordinator::GroupState& state);
void check_round_deadlines(const coordinator::GroupState& state, MonoTime now, Duration slack);
// Right after a load: no member is missing.
void check_loaded_rounds(const coordinator::GroupState& state);

// No offsets of topics that the shard knows to be gone (O8). view: the shard's.
void check_no_leftovers(const coordinator::GroupState& state, const coordinator::MetadataView& view);

// No member outlives its session (C10). heard: when a heartbeat of the member last reached the server, or the shard
// began to serve, whichever is later. slack: how late a timer may fire.
using LastHeard = std::function<MonoTime(const std::string& member)>;
void check_sessions(const coordinator::GroupState& state, const config::GroupConfig& config, MonoTime now,
                    Duration slack, const LastHeard& heard);

}  // namespace cohort::sim
