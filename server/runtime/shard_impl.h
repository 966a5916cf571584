// The bodies of Shard. Included by the file that instantiates it for a family, and by tests.
#pragma once

#include <optional>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "protocol/batch/record_batch.h"
#include "server/runtime/shard.h"
#include "server/runtime/shard_call_impl.h"
#include "server/runtime/shard_core_impl.h"
#include "server/storage/log.h"
#include "server/storage/log_threads.h"

namespace cohort::runtime {

// One read of a load. Read, applied and dropped before the next: a load needs little memory, however long the log.
inline constexpr std::size_t kLoadChunkBytes = std::size_t{1} << 20;

template <typename Family>
Shard<Family>::Shard(ShardPlace place, const typename Family::Config& config, const ShardLimits& limits,
                     std::unique_ptr<coordinator::IdSource> ids,
                     std::shared_ptr<const coordinator::MetadataView> metadata)
    : place_(std::move(place)),
      ids_(std::move(ids)),
      core_(place_.name, config, *ids_, limits, std::move(metadata)),
      timer_(place_.reactor, [this] {
        armed_for_.reset();
        core_.tick(place_.reactor.now(), effects_);
        act();
      }) {}

template <typename Family>
Shard<Family>::~Shard() {
  // The reactors have stopped: nobody is left to be answered, but the calls are this shard's to destroy.
  core_.abandon(effects_);
  for (const auto& released : effects_.released) delete call_of(released.call);
}

// ---- any thread ----

template <typename Family>
void Shard<Family>::start() {
  place_.reactor.post([this] {
    core_.start(effects_);
    act();
  });
}

template <typename Family>
void Shard<Family>::stop(std::function<void()> done) {
  place_.reactor.post([this, done = std::move(done)]() mutable {
    COHORT_CHECK(core_.state() != ShardState::kStopping, "stopped twice");
    on_drained_ = std::move(done);
    core_.stop(effects_);
    act();
  });
}

template <typename Family>
void Shard<Family>::metadata_changed(std::shared_ptr<const coordinator::MetadataView> metadata) {
  place_.reactor.post([this, metadata = std::move(metadata)]() mutable {
    core_.metadata_changed(std::move(metadata), place_.reactor.now(), effects_);
    act();
  });
}

// ---- on the reactor ----

// The core is given a call's address as its name.
template <typename Family>
ShardCall<Family>* Shard<Family>::call_of(CallId id) {
  return reinterpret_cast<ShardCall<Family>*>(id.value());
}

template <typename Family>
void Shard<Family>::take(std::unique_ptr<ShardCall<Family>> call) {
  const CallId id(reinterpret_cast<std::uintptr_t>(call.get()));
  const auto& request = call.release()->request();  // until the core releases the id again
  core_.request(id, request, place_.reactor.now(), effects_);
  act();
}

// What cannot wait for the end of the turn: answers, so that they gather in the outboxes of this very turn, and work
// for other threads.
template <typename Family>
void Shard<Family>::act() {
  for (auto& released : effects_.released) {
    std::unique_ptr<ShardCall<Family>> call(call_of(released.call));
    ShardCall<Family>::answer(std::move(call), std::move(released.response));
  }
  for (auto& job : effects_.jobs) start_job(std::move(job));
  const std::optional<ShardRead> read = effects_.read;
  effects_.clear();
  if (read) start_read(*read);
  place_.reactor.at_end_of_turn(*this);
}

// Once per turn, however many requests it had: they share one batch, and the timer moves once.
template <typename Family>
void Shard<Family>::on_end_of_turn() {
  if (auto write = core_.take_write()) start_write(std::move(*write));
  if (core_.wants_slice() && !slice_queued_) {
    slice_queued_ = true;
    // The next turn: what waits for the reactor comes in between.
    place_.reactor.send([this] {
      slice_queued_ = false;
      if (core_.wants_slice()) core_.load_slice(place_.reactor.now(), effects_);
      act();
    });
  }
  arm_timer();
  if (on_drained_ && core_.is_drained()) std::exchange(on_drained_, nullptr)();
}

template <typename Family>
void Shard<Family>::arm_timer() {
  const auto deadline = core_.next_deadline();
  // A timer that is set too early fires for nothing and is set again; that is cheaper than moving it with each
  // heartbeat.
  if (!deadline || (armed_for_ && *armed_for_ <= *deadline)) return;
  armed_for_ = deadline;
  timer_.set(*deadline);
}

// ---- other threads ----

template <typename Family>
void Shard<Family>::start_read(const ShardRead& read) {
  const bool taken = place_.log_threads.submit(place_.log_key, [this, read] {
    storage::Log& log = place_.log;
    // After a failed sync nothing may be read or written before what is above the durable end is cut off, or safe.
    Result<void> sealed = log.needs_seal() ? log.seal() : Result<void>{};
    const std::int64_t from = std::max(read.offset, log.start_offset());
    const std::int64_t end = log.promised_offset();
    Result<storage::ReadResult> result = sealed ? log.read(from, kLoadChunkBytes, end, true)
                                                : Result<storage::ReadResult>(std::unexpected(sealed.error()));
    place_.reactor.post([this, read, end, result = std::move(result)]() mutable {
      if (result) {
        core_.loaded(read.incarnation,
                     {.batches = result->batches.bytes(), .next_offset = result->next_offset, .durable_end = end});
      } else {
        core_.load_failed(read.incarnation, result.error(), place_.reactor.now());
      }
      act();
    });
  });
  if (!taken) log::warn("Shard", "{}: its log's threads have stopped", place_.name);
}

template <typename Family>
void Shard<Family>::start_write(ShardWrite write) {
  protocol::set_partition_leader_epoch(write.batch.mutable_view(), place_.leader_epoch);
  const bool taken = place_.log_threads.submit(place_.log_key, [this, write = std::move(write)] {
    storage::Log& log = place_.log;
    Result<void> done = log.append(write.batch.view());
    if (done) done = log.keep_promise();
    place_.reactor.post([this, incarnation = write.incarnation, done = std::move(done)] {
      if (done) {
        core_.written(incarnation, effects_);
        if (place_.on_durable) place_.on_durable(core_.durable_end());
      } else {
        core_.write_failed(incarnation, done.error(), effects_);
      }
      act();
    });
  });
  if (!taken) log::warn("Shard", "{}: its log's threads have stopped", place_.name);
}

template <typename Family>
void Shard<Family>::start_job(typename Core::JobToRun job) {
  // Jobs may run side by side: each gets a key of its own.
  const bool taken = place_.workers.submit(next_job_++, [this, job = std::move(job)]() mutable {
    place_.reactor.post([this, incarnation = job.incarnation, result = job.job.run(place_.ending)] {
      core_.job_done(incarnation, result, place_.reactor.now(), effects_);
      act();
    });
  });
  if (!taken) log::warn("Shard", "{}: the workers have stopped", place_.name);
}

}  // namespace cohort::runtime
