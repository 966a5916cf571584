// A load generator for the coordinator's requests: one thread, many connections, requests sent ahead of their answers.
//
//   cohort_load heartbeat|commit|fetch [--bootstrap HOST:PORT] [--members N] [--groups N] [--partitions N]
//               [--offsets N] [--connections N] [--in-flight N] [--seconds S] [--once] [--server-pid PID]
//
// Every member joins and every group commits at least once before anything is counted; --once stops there. Prints one
// line of JSON: operations per second, latency, CPU time of this process and of the server per operation.
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "tests/bench/load/connection.h"
#include "tests/bench/load/workload.h"

namespace {

using namespace cohort::load;

double seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// User and system time of a process, from /proc; 0 without one.
double cpu_seconds(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::size_t end = text.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream fields(text.substr(end + 2));
  std::string field;
  double ticks = 0;
  for (int i = 3; i <= 15 && fields >> field; ++i) {
    if (i >= 14) ticks += std::stod(field);
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

class Generator {
 public:
  Generator(Workload& workload, const std::string& bootstrap, std::size_t connections, std::size_t in_flight)
      : workload_(workload), in_flight_(in_flight), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections = std::min(connections, workload.jobs());
    for (std::size_t i = 0; i < connections; ++i) {
      lanes_.push_back({std::make_unique<Connection>(bootstrap), i});
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, lanes_[i].connection->descriptor(), &event);
    }
  }

  void start() {
    for (Lane& lane : lanes_) fill(lane);
  }
  // Until each job had `rounds` answers in a row that changed nothing, and nothing has for `quiet`.
  void settle(std::size_t rounds, Clock::duration quiet) {
    last_change_ = Clock::now();
    const auto asked_all = [&] {
      return std::ranges::all_of(lanes_, [&](const Lane& lane) { return lane.answers >= rounds * jobs_per_lane(); });
    };
    while (steady_ < rounds * workload_.jobs() || !asked_all() || Clock::now() - last_change_ < quiet) turn();
  }
  void run(Clock::duration duration) {
    latencies_.clear();
    answers_ = 0;
    const auto end = Clock::now() + duration;
    while (Clock::now() < end) turn();
    if (steady_ < answers_) give_up("something changed while it was measured");
  }
  std::size_t answers() const { return answers_; }
  double latency_us(double quantile) {
    if (latencies_.empty()) return 0;
    const auto at = latencies_.begin() + static_cast<std::ptrdiff_t>(quantile * double(latencies_.size() - 1));
    std::nth_element(latencies_.begin(), at, latencies_.end());
    return *at;
  }

 private:
  // Every connection has the jobs of its number, and asks for them in turn.
  struct Lane {
    std::unique_ptr<Connection> connection;
    std::size_t next_job;
    std::size_t answers = 0;
  };

  std::size_t jobs_per_lane() const { return (workload_.jobs() + lanes_.size() - 1) / lanes_.size(); }

  void fill(Lane& lane) {
    // A job has one request open at a time, so a lane with few jobs has few requests open.
    const std::size_t limit = std::min(in_flight_, std::max<std::size_t>(workload_.jobs() / lanes_.size(), 1));
    while (lane.connection->in_flight() < limit) {
      workload_.ask(*lane.connection, lane.next_job);
      lane.next_job += lanes_.size();
      if (lane.next_job >= workload_.jobs()) lane.next_job %= lanes_.size();
    }
    lane.connection->flush();
  }

  void turn() {
    epoll_event events[64];
    const int count = ::epoll_wait(epoll_, events, 64, 1000);
    for (int i = 0; i < count; ++i) {
      Lane& lane = lanes_[events[i].data.u64];
      lane.connection->receive([this, &lane](const Connection::Answer& answer) {
        ++steady_;
        if (!workload_.take(answer.job, answer.bytes)) {
          steady_ = 0;
          last_change_ = Clock::now();
        }
        ++answers_;
        ++lane.answers;
        if (answers_ % 16 == 0) latencies_.push_back(seconds(answer.took) * 1e6);
      });
      fill(lane);
    }
  }

  Workload& workload_;
  const std::size_t in_flight_;
  const int epoll_;
  std::vector<Lane> lanes_;
  std::size_t steady_ = 0;  // answers in a row that changed nothing
  Clock::time_point last_change_;
  std::size_t answers_ = 0;
  std::vector<double> latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App arguments("A load generator for the requests of group coordinators.", "cohort_load");
  Options options;
  std::size_t connections = 32;
  std::size_t in_flight = 16;
  double duration = 4;
  int server_pid = 0;
  bool once = false;
  arguments.add_option("workload", options.workload, "heartbeat, commit or fetch")->required();
  arguments.add_option("--bootstrap", options.bootstrap);
  arguments.add_option("--members", options.members)->check(CLI::PositiveNumber);
  arguments.add_option("--groups", options.groups)->check(CLI::PositiveNumber);
  arguments.add_option("--partitions", options.partitions)->check(CLI::PositiveNumber);
  arguments.add_option("--offsets", options.offsets)->check(CLI::PositiveNumber);
  arguments.add_option("--connections", connections)->check(CLI::PositiveNumber);
  arguments.add_option("--in-flight", in_flight)->check(CLI::PositiveNumber);
  arguments.add_option("--seconds", duration);
  arguments.add_option("--server-pid", server_pid);
  arguments.add_flag("--once", once);
  CLI11_PARSE(arguments, argc, argv);

  const auto workload = make_workload(options);
  Connection first(options.bootstrap);
  workload->prepare(first);
  Generator generator(*workload, options.bootstrap, connections, in_flight);
  const auto begun = Clock::now();
  generator.start();
  // A group computes its assignment once a second by default.
  generator.settle(once ? 1 : 2, once ? Clock::duration{} : std::chrono::milliseconds{1500});
  const double settled = seconds(Clock::now() - begun);
  if (once) {
    fmt::print("{{\"workload\":\"{}\",\"jobs\":{},\"settled_s\":{:.3f}}}\n", options.workload, workload->jobs(),
               settled);
    return 0;
  }
  const double server_before = cpu_seconds(server_pid);
  const double client_before = cpu_seconds(::getpid());
  const auto started = Clock::now();
  generator.run(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(duration)));
  const double took = seconds(Clock::now() - started);
  const auto operations = static_cast<double>(generator.answers());
  fmt::print(
      "{{\"workload\":\"{}\",\"jobs\":{},\"settled_s\":{:.3f},\"ops_s\":{:.0f},\"p50_us\":{:.0f},\"p99_us\":{:.0f},"
      "\"server_cpu_us\":{:.3f},\"client_cpu_us\":{:.3f}}}\n",
      options.workload, workload->jobs(), settled, operations / took, generator.latency_us(0.5),
      generator.latency_us(0.99), (cpu_seconds(server_pid) - server_before) * 1e6 / operations,
      (cpu_seconds(::getpid()) - client_before) * 1e6 / operations);
}
