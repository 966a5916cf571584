// What the load generator asks for. A job is a member or a group; one request of a job is open at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tests/bench/load/connection.h"

namespace cohort::load {

struct Options {
  std::string workload;
  std::string bootstrap = "127.0.0.1:9092";
  std::size_t members = 1000;  // heartbeat
  std::size_t groups = 100;
  std::size_t partitions = 100;  // of the topic
  std::size_t offsets = 1;       // commit, fetch: partitions in a request
};

class Workload {
 public:
  virtual ~Workload() = default;
  virtual std::size_t jobs() const = 0;
  // Before the first request, on a connection of its own.
  virtual void prepare(Connection& connection) = 0;
  virtual void ask(Connection& connection, std::size_t job) = 0;
  // False: this answer changed something, things are not steady yet.
  virtual bool take(std::size_t job, std::span<const std::byte> answer) = 0;
};

// heartbeat: steady ones of members that share the topic, each group for itself; commit: `offsets` partitions of each
// group in turn; fetch: the same offsets. Gives up on another name.
std::unique_ptr<Workload> make_workload(const Options& options);

}  // namespace cohort::load
