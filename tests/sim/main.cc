// Runs the simulation over many seeds and says how often each fault, record, answer and check occurred.
//
//   sim [--seeds N] [--first SEED] [--steps N] [--trace]
//
// Each seed runs twice; different traces are a failure like a rule that does not hold. Exit status 1 on a failure.
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/log.h"
#include "tests/sim/member.h"
#include "tests/sim/server.h"

namespace cohort::sim {
namespace {

constexpr int kGroups = 3;
constexpr int kMembersPerGroup = 3;
constexpr std::int32_t kShards = 2;
constexpr int kCrashes = 2;

std::shared_ptr<const coordinator::MetadataView> topics_of(std::int64_t version, std::int32_t partitions) {
  using protocol::TopicId;
  using protocol::TopicName;
  std::vector<coordinator::TopicView> topics{{TopicId(protocol::Uuid(1, 1)), TopicName("orders"), partitions},
                                             {TopicId(protocol::Uuid(1, 2)), TopicName("payments"), 3}};
  return std::make_shared<coordinator::MetadataView>(version, std::move(topics));
}

// Half of the seeds run Kafka's defaults, half run with everything at once and in the step itself.
config::GroupConfig config_of(std::uint64_t seed) {
  config::GroupConfig config;
  if (seed % 2 == 1) {
    config.consumer_assignment_interval = Duration{0};
    config.consumer_assignor_offload = false;
  }
  return config;
}

struct Outcome {
  std::uint64_t trace_hash = 0;
  std::map<std::string, std::uint64_t> counts;
};

Outcome run(std::uint64_t seed, std::uint64_t steps, bool print_trace) {
  World world(seed);
  world.print_trace = print_trace;
  Server server(world, config_of(seed), kShards);
  Ledger ledger;
  std::int64_t version = 1;
  std::int32_t partitions = 4;
  server.set_topics(topics_of(version, partitions));
  server.start();
  std::vector<std::unique_ptr<Member>> members;
  for (int group = 0; group < kGroups; ++group) {
    for (int i = 0; i < kMembersPerGroup; ++i) {
      members.push_back(std::make_unique<Member>(world, server, ledger, fmt::format("group-{}", group),
                                                 fmt::format("m{}-{}", group, i)));
      members.back()->start();
    }
  }
  const auto crash = [&] {
    if (!server.is_up()) return;
    server.crash(world.chance(0.5));
    world.after(world.delay(0, 10'000), [&] { server.start(); });
  };
  int crashes = 0;
  while (world.steps() < steps && world.step()) {
    if (world.chance(0.0015) || (crashes < kCrashes && world.steps() > steps * (crashes + 1) / (kCrashes + 1))) {
      ++crashes;
      crash();
    }
    if (server.is_up() && world.chance(0.002)) server.break_disk();
    if (partitions < 12 && world.chance(0.0005)) server.set_topics(topics_of(++version, ++partitions));
  }
  return {world.trace_hash(), world.counts()};
}

int number(std::string_view text) {
  return std::atoi(std::string(text).c_str());
}

int run_all(int argc, char** argv) {
  int seeds = 100;
  int first = 1;
  int steps = 3'000;
  bool print_trace = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--trace")
      print_trace = true;
    else if (argument == "--seeds" && i + 1 < argc)
      seeds = number(argv[++i]);
    else if (argument == "--first" && i + 1 < argc)
      first = number(argv[++i]);
    else if (argument == "--steps" && i + 1 < argc)
      steps = number(argv[++i]);
    else
      return std::fprintf(stderr, "sim [--seeds N] [--first SEED] [--steps N] [--trace]\n"), 2;
  }
  // Faults are the point here: their log lines are noise.
  log::set_level(print_trace ? log::Level::kInfo : log::Level::kOff);
  std::map<std::string, std::uint64_t> totals;
  int failures = 0;
  for (int i = 0; i < seeds; ++i) {
    const auto seed = static_cast<std::uint64_t>(first + i);
    try {
      const Outcome outcome = run(seed, static_cast<std::uint64_t>(steps), print_trace);
      for (const auto& [what, count] : outcome.counts) totals[what] += count;
      if (run(seed, static_cast<std::uint64_t>(steps), false).trace_hash != outcome.trace_hash) {
        throw Violation("two runs of the seed differ");
      }
    } catch (const Violation& violation) {
      ++failures;
      std::printf("seed %d: %s\n  repeat: sim --first %d --seeds 1 --steps %d --trace\n", first + i, violation.what(),
                  first + i, steps);
    }
  }
  for (const auto& [what, count] : totals) std::printf("%10lu  %s\n", static_cast<unsigned long>(count), what.c_str());
  std::printf("%d seeds of %d steps, %d failed\n", seeds, steps, failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace cohort::sim

int main(int argc, char** argv) {
  return cohort::sim::run_all(argc, argv);
}
