// Cleaner: the threads that compact logs, for the partitions of all reactors. A round is one job: it reads and writes
// here, and has each of its short steps done where the log's writer runs (see storage/compaction.h).
//
// Owner: TopicStoreImpl. Threads: submit() and stop() from any; on_writer() from a job.
// Why a thread waits for the step and no chain of messages: a round holds the map of its keys, so there are only as
// many maps as threads, whatever waits. Log threads and reactors never wait for a cleaner, so nothing waits in a
// circle.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "protocol/base/result.h"
#include "server/config/server_config.h"
#include "server/storage/log_threads.h"

namespace cohort::topics {

class Cleaner {
 public:
  using Step = std::move_only_function<Result<void>()>;
  // Called once: true runs the step, false gives it up.
  using StepJob = std::move_only_function<void(bool run)>;

  explicit Cleaner(const config::CleanerConfig& config);
  ~Cleaner();  // stop()

  std::size_t map_bytes() const { return map_bytes_; }  // of one round
  // False: stopping, the job was not taken.
  [[nodiscard]] bool submit(std::uint64_t log_key, storage::LogThreads::Job round);
  // Waits until the step that it hands over was run or given up; a stop ends the waiting, too.
  Result<void> on_writer(Step step, const std::function<void(StepJob)>& hand_over);
  bool is_stopping() const;
  // Rounds under way end soon. Not from a job.
  void stop();

 private:
  // Outlives the Cleaner in steps that are still on their way.
  struct Shared {
    std::mutex mutex;
    std::condition_variable wake;
    bool stopping = false;
  };
  const std::size_t map_bytes_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
  storage::LogThreads threads_;
};

}  // namespace cohort::topics
