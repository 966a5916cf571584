// Runs the simulation over many seeds, and says how often each fault, record, answer, transition and check occurred.
//
//   sim [--seeds N] [--first SEED] [--steps N] [--trace] [--until-failure]
//
// Each seed runs twice; different traces are a failure like a rule that does not hold, and so is something that
// occurred too rarely (coverage.cc). Exit status 1 on a failure. Few seeds are not
// asked for their coverage.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/log.h"
#include "tests/sim/admin.h"
#include "tests/sim/catalogue.h"
#include "tests/sim/classic_member.h"
#include "tests/sim/coverage.h"
#include "tests/sim/ledger.h"
#include "tests/sim/member.h"
#include "tests/sim/offsets_client.h"
#include "tests/sim/server.h"

namespace cohort::sim {
namespace {

// One more than the conformance settings let into a group, and two of the usual size.
constexpr int kMembersOfGroups[] = {5, 3, 3};
constexpr int kClassicMembersOfMixedGroups = 2;
constexpr int kMembersOfClassicGroups[] = {4, 2};
constexpr std::int32_t kShards = 2;
constexpr int kCrashes = 2;
constexpr int kLeastSeedsForCoverage = 20;

// Half of the seeds run Kafka's defaults, half the group settings of the conformance tool: no interval between
// assignments, small groups.
config::GroupConfig config_of(std::uint64_t seed) {
  config::GroupConfig config;
  if (seed % 2 == 1) {
    config.consumer_assignment_interval = Duration{0};
    config.consumer_assignor_offload = false;
    config.consumer_min_session_timeout = Duration{1'000};
    config.consumer_min_heartbeat_interval = Duration{500};
    config.consumer_max_size = 4;
    config.classic_initial_rebalance_delay = Duration{0};
    config.classic_max_size = 3;
  }
  return config;
}

// One server, its clients and its fate.
class Run {
 public:
  Run(std::uint64_t seed, bool print_trace)
      : world_(seed),
        catalogue_(world_),
        server_(world_, config_of(seed), ledger_, catalogue_, kShards),
        offsets_(world_, server_, ledger_) {
    world_.print_trace = print_trace;
    std::vector<std::string> groups;
    for (const int size : kMembersOfGroups) {
      const std::string group = fmt::format("group-{}", groups.size());
      auto& peers = *peers_.emplace_back(std::make_unique<Member::Peers>());
      auto& classic_peers = *classic_peers_.emplace_back(std::make_unique<Member::ClassicPeers>());
      for (int i = 0; i < size; ++i) {
        members_.push_back(std::make_unique<Member>(world_, server_, offsets_, peers, classic_peers, night_, group,
                                                    fmt::format("m{}-{}", groups.size(), i)));
        peers.push_back(members_.back().get());
      }
      groups.push_back(group);
    }
    // In groups of both protocols, which migrate.
    for (const std::size_t group : {1U, 2U}) {
      const std::size_t first = classic_members_.size();
      add_classic_members(groups[group], kClassicMembersOfMixedGroups);
      for (std::size_t i = first; i < classic_members_.size(); ++i) {
        classic_peers_[group]->push_back(classic_members_[i].get());
      }
    }
    for (const int size : kMembersOfClassicGroups) {
      groups.push_back(fmt::format("classic-{}", groups.size()));
      add_classic_members(groups.back(), size);
    }
    admin_ = std::make_unique<Admin>(world_, server_, ledger_, offsets_, night_, groups);
  }

  void go(std::uint64_t steps) {
    server_.start();
    for (auto& member : members_) member->start();
    for (auto& member : classic_members_) member->start();
    admin_->start();
    int crashes = 0;
    while (world_.steps() < steps && world_.step()) {
      const bool is_due = crashes < kCrashes && world_.steps() > steps * (crashes + 1) / (kCrashes + 1);
      if (is_due || world_.chance(0.0015)) {
        ++crashes;
        prepare_crash();
      }
      if (server_.is_up() && world_.chance(0.002)) server_.break_disk();
      if (world_.chance(0.002)) change_topics();
      if (!night_ && world_.chance(0.0005)) fall_asleep();
    }
  }
  const World& world() const { return world_; }

 private:
  void add_classic_members(const std::string& group, int size) {
    for (int i = 0; i < size; ++i) {
      classic_members_.push_back(
          std::make_unique<ClassicMember>(world_, server_, offsets_, night_, group, fmt::format("{}-c{}", group, i)));
    }
  }
  // At once, or some disk operations later in the middle of whatever the server does.
  void prepare_crash() {
    if (!server_.is_up()) return;
    if (world_.chance(0.5)) return crash();
    server_.stop_disk_after(static_cast<std::uint64_t>(world_.pick(1, 12)));
    world_.after(world_.delay(1, 2'000), [this] { crash(); });
  }
  void crash() {
    if (!server_.is_up()) return;
    server_.crash(world_.chance(0.5));
    world_.after(world_.delay(0, 10'000), [this] { server_.start(); });
  }
  void change_topics() {
    const bool deleted = catalogue_.change();
    server_.topics_changed();
    if (!deleted || !world_.chance(0.2)) return;
    world_.count("fault: crash before the shards hear of a deletion");
    crash();
  }
  // Everybody goes home and the wall clock moves on: what is left is for retention and session timeouts.
  void fall_asleep() {
    world_.count("night");
    night_ = true;
    world_.after(world_.delay(60'000, 1'200'000), [this] {
      world_.jump_wall(std::chrono::hours{world_.pick(1, 10 * 24)});
      // Offsets are looked through every ten minutes.
      world_.after(world_.delay(0, 1'200'000), [this] { night_ = false; });
    });
  }

  World world_;
  Ledger ledger_;
  Catalogue catalogue_;
  Server server_;
  OffsetsClient offsets_;
  bool night_ = false;
  std::vector<std::unique_ptr<Member::Peers>> peers_;                 // by group
  std::vector<std::unique_ptr<Member::ClassicPeers>> classic_peers_;  // by group
  std::vector<std::unique_ptr<Member>> members_;
  std::vector<std::unique_ptr<ClassicMember>> classic_members_;
  std::unique_ptr<Admin> admin_;
};

int number(std::string_view text) {
  return std::atoi(std::string(text).c_str());
}

int run_all(int argc, char** argv) {
  int seeds = 100;
  int first = 1;
  int steps = 6'000;
  bool print_trace = false;
  bool until_failure = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--trace")
      print_trace = true;
    else if (argument == "--until-failure")
      until_failure = true;
    else if (argument == "--seeds" && i + 1 < argc)
      seeds = number(argv[++i]);
    else if (argument == "--first" && i + 1 < argc)
      first = number(argv[++i]);
    else if (argument == "--steps" && i + 1 < argc)
      steps = number(argv[++i]);
    else
      return std::fprintf(stderr, "sim [--seeds N] [--first SEED] [--steps N] [--trace] [--until-failure]\n"), 2;
  }
  // Faults are the point here: their log lines are noise.
  log::set_level(print_trace ? log::Level::kInfo : log::Level::kOff);
  std::map<std::string, std::uint64_t> totals;
  int failures = 0;
  for (int i = 0; i < seeds && !(until_failure && failures > 0); ++i) {
    const auto seed = static_cast<std::uint64_t>(first) + static_cast<std::uint64_t>(i);
    try {
      Run first_run(seed, print_trace);
      first_run.go(static_cast<std::uint64_t>(steps));
      for (const auto& [what, count] : first_run.world().counts()) totals[what] += count;
      Run second_run(seed, false);
      second_run.go(static_cast<std::uint64_t>(steps));
      if (first_run.world().trace_hash() != second_run.world().trace_hash()) {
        throw Violation("two runs of the seed differ");
      }
    } catch (const Violation& violation) {
      ++failures;
      std::printf("seed %d: %s\n  repeat: sim --first %d --seeds 1 --steps %d --trace\n", first + i, violation.what(),
                  first + i, steps);
    }
  }
  const int rare = report_coverage(totals, static_cast<std::uint64_t>(seeds) * static_cast<std::uint64_t>(steps));
  std::printf("%d seeds of %d steps, %d failed; %d things occurred too rarely\n", seeds, steps, failures, rare);
  return failures == 0 && (rare == 0 || until_failure || seeds < kLeastSeedsForCoverage) ? 0 : 1;
}

}  // namespace
}  // namespace cohort::sim

int main(int argc, char** argv) {
  return cohort::sim::run_all(argc, argv);
}
