#include "tests/sim/coverage.h"

#include <cstdio>
#include <set>
#include <string_view>

namespace cohort::sim {
namespace {

// At least so often in a million steps.
struct Expected {
  std::string_view what;
  double per_million_steps;
};
// About a quarter of what is usual: it moves with every change of the model, and this is to catch what has gone.
constexpr Expected kExpected[] = {
    {"check: shadow", 30000},
    {"classic heartbeat: 0", 6000},
    {"classic heartbeat: 25", 40},
    {"classic heartbeat: 27", 250},
    {"classic member: leaves", 400},
    {"classic member: shares out", 600},
    {"commit refused: 15", 70},
    {"commit refused: 16", 300},
    {"commit: 0", 8000},
    {"commit: 113", 100},
    {"commit: 25", 600},
    {"compacted", 200},
    {"compacted in part", 100},
    {"delete group: 0", 60},
    {"delete group: 68", 50},
    {"delete group: 69", 50},
    {"describe classic: 0", 70},
    {"describe classic: 69", 100},
    {"describe: 0", 100},
    {"describe: 69", 100},
    {"fault: classic member dies", 190},
    {"fault: classic member pauses", 180},
    {"fault: commit of a former member", 300},
    {"fault: commit with an old generation", 20},
    {"fault: commit with an old epoch", 300},
    {"fault: crash before the shards hear of a deletion", 50},
    {"fault: disk full", 100},
    {"fault: disk stops", 100},
    {"fault: kill", 200},
    {"fault: late heartbeat", 300},
    {"fault: lost reply to classic heartbeat", 200},
    {"fault: lost reply to commit", 200},
    {"fault: lost reply to heartbeat", 700},
    {"fault: lost reply to join", 70},
    {"fault: lost reply to sync", 25},
    {"fault: member dies", 200},
    {"fault: member pauses", 200},
    {"fault: power loss", 200},
    {"fault: sync fails", 100},
    {"fault: write fails", 100},
    {"fetch refused: 16", 60},
    {"fetch: 0", 3000},
    {"fetch: 113", 100},
    {"fetch: an offset", 1000},
    {"fetch: no offset", 1000},
    {"group: Assigning -> Empty", 200},
    {"group: Assigning -> Reconciling", 500},
    {"group: Assigning -> Stable", 100},
    {"group: Dead -> Stable", 200},
    {"group: Empty -> Dead", 100},
    {"group: Empty -> Stable", 200},
    {"group: Reconciling -> Assigning", 500},
    {"group: Reconciling -> Empty", 20},
    {"group: Reconciling -> Stable", 600},
    {"group: Stable -> Assigning", 300},
    {"group: downgraded", 18},
    {"group: upgraded", 45},
    {"group: Stable -> Empty", 100},
    {"group: Stable -> Reconciling", 600},
    {"heartbeat refused: 15", 100},
    {"heartbeat refused: 16", 300},
    {"heartbeat: 0", 20000},
    {"heartbeat: 111", 400},
    {"heartbeat: 128", 10},
    {"heartbeat: 25", 4},
    {"heartbeat: 81", 900},
    {"job", 700},
    {"join refused: 16", 130},
    {"join: 0", 900},
    {"join: 25", 80},
    {"join: 79", 350},
    {"join: 81", 60},
    {"late heartbeat: 0", 30},
    {"late heartbeat: 110", 200},
    {"list: 0", 200},
    {"listed: classic Empty", 160},
    {"listed: classic PreparingRebalance", 15},
    {"listed: classic Stable", 60},
    {"listed: consumer Assigning", 10},
    {"listed: consumer Empty", 60},
    {"listed: consumer Reconciling", 100},
    {"listed: consumer Stable", 100},
    {"member: leaves", 600},
    {"member: leaves for a while", 100},
    {"night", 100},
    {"offset delete of a partition: 0", 100},
    {"offset delete of a partition: 86", 90},
    {"offset delete: 0", 200},
    {"offset delete: 69", 70},
    {"offset removed: by a client", 200},
    {"offset removed: expired", 600},
    {"offset removed: its topic was deleted", 1000},
    {"record: ConsumerGroupCurrentMemberAssignment", 7000},
    {"record: ConsumerGroupCurrentMemberAssignment tombstone", 1000},
    {"record: ConsumerGroupMemberMetadata", 1000},
    {"record: ConsumerGroupMemberMetadata tombstone", 1000},
    {"record: ConsumerGroupMetadata", 3000},
    {"record: ConsumerGroupMetadata tombstone", 100},
    {"record: ConsumerGroupPartitionMetadata tombstone", 100},
    {"record: ConsumerGroupRegularExpression", 800},
    {"record: ConsumerGroupRegularExpression tombstone", 200},
    {"record: ConsumerGroupTargetAssignmentMember", 4000},
    {"record: ConsumerGroupTargetAssignmentMember tombstone", 1000},
    {"record: ConsumerGroupTargetAssignmentMetadata", 2000},
    {"record: ConsumerGroupTargetAssignmentMetadata tombstone", 100},
    {"record: GroupMetadata", 1100},
    {"record: GroupMetadata tombstone", 100},
    {"record: OffsetCommit", 8000},
    {"record: OffsetCommit tombstone", 2000},
    {"shard: active -> loading", 600},
    {"shard: failed -> loading", 20},
    {"shard: idle -> loading", 800},
    {"shard: loading -> active", 1000},
    {"shard: loading -> failed", 80},
    {"shard: loading -> read only", 100},
    {"shard: read only -> active", 100},
    {"sync refused: 16", 40},
    {"sync: 0", 800},
    {"sync: 27", 4},
    {"topic: created", 100},
    {"topic: deleted", 100},
    {"topic: deleted and created in one view", 100},
    {"topic: grown", 100},
    {"write failed", 600},
};

}  // namespace

int report_coverage(const std::map<std::string, std::uint64_t>& counts, std::uint64_t steps) {
  std::map<std::string, std::uint64_t> least;
  for (const auto& [what, per_million] : kExpected) {
    least[std::string(what)] = static_cast<std::uint64_t>(per_million * static_cast<double>(steps) / 1e6);
  }
  std::set<std::string> names;
  for (const auto& [what, _] : counts) names.insert(what);
  for (const auto& [what, _] : least) names.insert(what);

  int rare = 0;
  std::printf("%10s %10s\n", "seen", "at least");
  for (const std::string& what : names) {
    const auto seen = counts.find(what);
    const auto expected = least.find(what);
    const auto count = static_cast<unsigned long>(seen != counts.end() ? seen->second : 0);
    if (expected == least.end()) {
      std::printf("%10lu %10s  %s\n", count, "", what.c_str());
      continue;
    }
    const bool is_rare = count < expected->second;
    rare += is_rare ? 1 : 0;
    std::printf("%10lu %10lu  %s%s\n", count, static_cast<unsigned long>(expected->second), what.c_str(),
                is_rare ? "  TOO RARE" : "");
  }
  return rare;
}

}  // namespace cohort::sim
