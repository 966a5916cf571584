// Everything behind the network: reactors, threads, data folder, topics and the shards of __consumer_offsets, and the
// services that API handlers work with. Owned by the server; tests make one on a MemFs and speak to it through sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include "protocol/base/memory_budget.h"
#include "protocol/base/result.h"
#include "server/api/services.h"
#include "server/config/config.h"
#include "server/reactor/reactor_pool.h"
#include "server/runtime/router.h"
#include "server/runtime/shard.h"
#include "server/storage/log_set.h"
#include "server/storage/log_threads.h"
#include "server/topics/topic_store.h"

namespace cohort::app {

class Backend {
 public:
  // Both must outlive it. max_partitions: of all topics together, by what the system grants (see open_files.h).
  Backend(const config::Loaded& loaded, storage::Fs& fs, std::uint64_t max_partitions);

  // Takes the data folder and opens what is in it; nothing runs yet. The error is one clear sentence.
  Result<void> open();
  void start();
  // Answers what waits (fetches with what is there, calls to the coordinator that wait for others with
  // NOT_COORDINATOR), takes no new calls to it and waits at most so long until what it has decided is on the disk. The
  // network still runs and takes the answers.
  void finish(std::chrono::milliseconds limit);
  // The network is stopped already. Finishes what is not finished; waits at most so long for a disk that takes its
  // time: what was answered is durable, and what makes the next start quick can be left out.
  Result<void> stop(std::chrono::milliseconds limit);

  reactor::ReactorPool& reactors() { return reactors_; }
  // `advertised` is the network's to fill in.
  api::Services& services() { return *services_; }

 private:
  Result<void> open_shards();

  const config::Loaded& loaded_;
  const config::ServerConfig& config_;
  storage::Fs& fs_;
  const std::uint64_t max_partitions_;
  reactor::ReactorPool reactors_;
  storage::LogThreads log_threads_;
  storage::LogThreads workers_;
  std::unique_ptr<storage::LogSet> logs_;
  std::unique_ptr<topics::TopicStore> topics_;
  std::vector<std::shared_ptr<storage::Log>> shard_logs_;
  config::GroupConfig shard_config_;
  std::vector<std::unique_ptr<runtime::GroupShard>> shards_;
  std::unique_ptr<runtime::GroupRouter> router_;
  const std::shared_ptr<MemoryBudget> reply_memory_;
  std::unique_ptr<api::Services> services_;
  std::stop_source ending_;
  bool finished_ = false;
};

}  // namespace cohort::app
