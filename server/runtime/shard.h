// The driver of a ShardCore: gives it a thread (its reactor's), time, a log, workers and calls. It decides nothing.
// Owned by `app`; lives from before the reactors start until after they have stopped, as do the log and the threads
// that it is given. Everything not marked otherwise happens on its reactor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "server/reactor/reactor.h"
#include "server/reactor/timer.h"
#include "server/runtime/shard_call.h"
#include "server/runtime/shard_core.h"
#include "server/runtime/shard_limits.h"

namespace cohort::storage {
class Log;
class LogThreads;
}  // namespace cohort::storage

namespace cohort::runtime {

struct ShardPlace {
  std::string name;  // for log lines: topic and partition
  reactor::Reactor& reactor;
  storage::Log& log;              // the shard is its one writer
  std::int32_t leader_epoch = 0;  // of the partition; stands in what is written
  storage::LogThreads& log_threads;
  std::uint64_t log_key = 0;     // of this log among the log threads' jobs
  storage::LogThreads& workers;  // for the coordinator's jobs; other threads than the log's, which a job would hold up
  std::stop_token ending{};      // the process is: jobs need not end
  // The log is as durable as it promises up to this offset (exclusive): consumers of the internal topic may see it. May
  // be empty.
  std::function<void(std::int64_t end_offset)> on_durable;
};

template <typename Family>
class Shard final : private reactor::EndOfTurn {
 public:
  Shard(ShardPlace place, const typename Family::Config& config, const ShardLimits& limits,
        std::unique_ptr<coordinator::IdSource> ids, std::shared_ptr<const coordinator::MetadataView> metadata);
  ~Shard() override;

  // ---- any thread ----
  reactor::Reactor& reactor() { return place_.reactor; }
  // Loads; requests are refused with COORDINATOR_LOAD_IN_PROGRESS until that is done.
  void start();
  // Refuses new requests and finishes the writes that are waiting; then done runs, on this shard's reactor. How long
  // the disk may take for that is the caller's to limit.
  void stop(std::function<void()> done);
  void metadata_changed(std::shared_ptr<const coordinator::MetadataView> metadata);

  // ---- on its reactor ----
  ShardState state() const { return core_.state(); }
  const ShardStats& stats() const { return core_.stats(); }

 private:
  friend class ShardCall<Family>;
  using Core = ShardCore<Family>;

  static ShardCall<Family>* call_of(CallId id);
  void take(std::unique_ptr<ShardCall<Family>> call);
  void on_end_of_turn() override;
  void act();  // on effects_, after each input
  void start_read(const ShardRead& read);
  void start_write(ShardWrite write);
  void start_job(typename Core::JobToRun job);
  void arm_timer();

  ShardPlace place_;
  std::unique_ptr<coordinator::IdSource> ids_;
  Core core_;
  typename Core::Effects effects_;
  reactor::Timer timer_;
  std::optional<MonoTime> armed_for_;
  bool slice_queued_ = false;
  std::uint64_t next_job_ = 0;
  std::function<void()> on_drained_;
};

using GroupShard = Shard<GroupFamily>;

}  // namespace cohort::runtime
