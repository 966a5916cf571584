// What a hop between two reactors costs: heartbeat-sized requests go from one reactor to the other and come back, 32
// connections' worth of them in flight, handed over one by one (post) or gathered per turn (send).
//
//   hop_bench [ROUNDS] [REQUESTS PER TURN]     default 200000 8
//
// Prints wall time and CPU time of the process per request; the CPU time is what the design counts in.
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <string>

#include "server/reactor/reactor_pool.h"

namespace {

using cohort::reactor::Message;
using cohort::reactor::Reactor;
using cohort::reactor::ReactorPool;

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

struct Run {
  Reactor& home;
  Reactor& shard;
  bool batched;
  int per_turn;
  long turns_left;
  int missing = 0;  // replies of the present turn
  std::promise<void> done;

  void next_turn();
};

// About what a decoded heartbeat holds.
struct Echo final : Message {
  explicit Echo(Run& r) : run(r) {}
  Run& run;
  bool at_home = false;
  char body[400] = {};

  void deliver(std::unique_ptr<Message> self) override {
    if (at_home) {
      if (--run.missing == 0) run.next_turn();
      return;
    }
    at_home = true;
    if (run.batched)
      run.home.send(std::move(self));
    else
      run.home.post(std::move(self));
  }
};

void Run::next_turn() {
  if (turns_left-- == 0) return done.set_value();
  missing = per_turn;
  for (int i = 0; i < per_turn; ++i) {
    auto echo = std::make_unique<Echo>(*this);
    if (batched)
      shard.send(std::move(echo));
    else
      shard.post(std::move(echo));
  }
}

void measure(const char* name, bool batched, bool hop, long turns, int per_turn) {
  ReactorPool pool(2);
  pool.start();
  Run run{.home = pool[0],
          .shard = pool[hop ? 1 : 0],
          .batched = batched,
          .per_turn = per_turn,
          .turns_left = turns,
          .missing = 0,
          .done = {}};
  const double wall = seconds(CLOCK_MONOTONIC);
  const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  pool[0].post([&] { run.next_turn(); });
  run.done.get_future().get();
  const double requests = static_cast<double>(turns) * per_turn;
  std::printf("%-28s %7.3f us wall  %7.3f us CPU per request\n", name,
              (seconds(CLOCK_MONOTONIC) - wall) * 1e6 / requests,
              (seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e6 / requests);
}

}  // namespace

int main(int argc, char** argv) {
  const long turns = argc > 1 ? std::atol(argv[1]) : 200'000;
  const int per_turn = argc > 2 ? std::atoi(argv[2]) : 8;
  std::printf("%ld turns of %d requests\n", turns, per_turn);
  measure("same reactor, batched", true, false, turns, per_turn);
  measure("two reactors, one by one", false, true, turns, per_turn);
  measure("two reactors, batched", true, true, turns, per_turn);
}
