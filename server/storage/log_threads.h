// A small pool of threads for what may wait for the disk: append, sync, delete, open. Jobs of one key (one log) run one
// at a time in the order of their submission; jobs of different keys run side by side.
//
// Owner: `app`, one for all logs, stopped before the logs are closed. Threads: submit() from any, also from a job.
// Why not a thread per log: thousands of topic partitions. Why not the reactors: a slow disk must not stop a heartbeat.
// Why no result here: a job posts its outcome to the loop that asked, as an input like any other. The simulation does
// not use this class: a Log has no thread of its own, so it calls the Log directly.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace cohort::storage {

class LogThreads {
 public:
  using Job = std::move_only_function<void()>;

  // threads: 1 to 64. Two or more let one log sync while another writes.
  explicit LogThreads(std::size_t threads);
  ~LogThreads();  // stop()
  LogThreads(const LogThreads&) = delete;
  LogThreads& operator=(const LogThreads&) = delete;

  // False after stop() has begun: the job was not taken and is destroyed here. Jobs must not throw. The queue has no
  // limit of its own: each log's owner keeps a bounded number of jobs in flight (a shard exactly one write).
  [[nodiscard]] bool submit(std::uint64_t key, Job job);

  // Runs what was submitted, then ends the threads. May be called again; not from a job, not by two threads at once.
  void stop();
  // The same, but what is still queued after `limit` is destroyed unrun, as if it had not been taken. What runs then is
  // waited for, however long the disk takes.
  void stop(std::chrono::milliseconds limit);

 private:
  void run();
  void join();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable emptied_;  // queues_ is empty; waited for by stop()
  // A key is here while it has jobs; the first job stays in the queue, moved out, until it has run.
  std::unordered_map<std::uint64_t, std::deque<Job>> queues_;
  std::deque<std::uint64_t> ready_;  // keys with a waiting job and none running, each once
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cohort::storage
