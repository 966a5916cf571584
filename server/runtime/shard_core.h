// The rules of a shard, pure: one coordinator, the order of its log, who waits for which record, timers, loading,
// failing. Owned by Shard (or by the simulation), on one thread. Takes inputs one at a time, each with the time it
// happened at, and says in Effects what is to be done outside; it never calls out.
//
// Writing. The records of one step are one atomic unit: they get their offsets, are applied and stand in one batch. At
// most one batch is being written; what comes meanwhile gathers in the next. A reply waits in the batch that holds the
// last record it rests on, its own step's or an earlier one, and leaves when that batch is durable; if it already is,
// at once. So a steady heartbeat never waits for other groups' syncs.
//
// Failing. What may be refused is refused before a record is applied. After a failed write nothing in memory above the
// durable end is true: waiting replies are refused, the coordinator is dropped and a new one is loaded from the log.
// Each load is a new incarnation; results of writes, reads and jobs name theirs and are dropped when it is over. The
// first failure reloads and goes on; from the second in a row the shard answers what needs no write and tries to write
// again after a pause, when the next write is the probe.
//
// Why no rollback of single steps: later steps have read what the failed ones wrote. A step that is refused has written
// nothing; the coordinator is told, and brings its soft state back to what its records say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/strong.h"
#include "protocol/base/time.h"
#include "protocol/types/error_code.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/bytes.h"
#include "server/coordinator/core/context.h"
#include "server/runtime/call_id.h"
#include "server/runtime/log_replay.h"
#include "server/runtime/pending_batches.h"
#include "server/runtime/shard_limits.h"
#include "server/runtime/timer_queue.h"

namespace cohort::runtime {

enum class ShardState : std::uint8_t {
  kIdle,      // not started
  kLoading,   // reads its log; requests are refused with COORDINATOR_LOAD_IN_PROGRESS
  kReadOnly,  // loaded, but writing failed twice in a row; what needs no write is answered, no timer runs
  kActive,
  kFailed,    // cannot be loaded; tries again after a pause if the disk failed, never if the log is damaged
  kStopping,  // refuses requests, finishes its writes
};
const char* name_of(ShardState state);

struct ShardStats {
  std::uint64_t steps = 0;
  std::uint64_t records_written = 0;  // offered to the log
  std::uint64_t batches_written = 0;
  std::uint64_t replies_at_once = 0;
  std::uint64_t replies_waited = 0;
  std::uint64_t refused = 0;
  std::uint64_t stale_inputs = 0;  // of a former incarnation
  std::uint64_t write_failures = 0;
  std::uint64_t loads = 0;
  std::uint64_t records_loaded = 0;
  std::uint64_t unknown_records = 0;  // skipped at load
};

// Why a request cannot be served, as Kafka says it.
struct Refusal {
  protocol::ErrorCode error;
  const char* message;
};

// A batch for the log: append, sync, then written() or write_failed() with the incarnation.
struct ShardWrite {
  std::uint64_t incarnation = 0;
  std::int64_t base_offset = 0;
  std::int64_t end_offset = 0;  // exclusive
  protocol::ByteBuffer batch;
};

// Read whole batches of the log from this offset on, or from the log's start if that is later, below its durable end;
// then loaded() or load_failed() with the incarnation.
struct ShardRead {
  std::uint64_t incarnation = 0;
  std::int64_t offset = 0;
};

template <typename Family>
class ShardCore {
 public:
  using Request = typename Family::Request;
  using Response = typename Family::Response;
  using Coordinator = typename Family::Coordinator;
  using ReplyToken = typename Family::ReplyToken;

  struct Released {
    CallId call;
    Response response;
  };
  struct JobToRun {
    std::uint64_t incarnation = 0;
    typename Family::Job job;
  };
  // Added to by each input; the owner acts on it and clears it, keeping the memory.
  struct Effects {
    std::vector<Released> released;
    std::vector<JobToRun> jobs;
    std::optional<ShardRead> read;

    void clear() {
      released.clear();
      jobs.clear();
      read.reset();
    }
  };

  // name: for the log, e.g. "__consumer_offsets-3". config and ids outlive the core.
  ShardCore(std::string name, const typename Family::Config& config, coordinator::IdSource& ids,
            const ShardLimits& limits, std::shared_ptr<const coordinator::MetadataView> metadata);
  ~ShardCore();

  // ---- inputs ----
  void start(Effects& effects);  // once
  void request(CallId call, const Request& request, const Now& now, Effects& effects);
  void tick(const Now& now, Effects& effects);  // at or after next_deadline(); more may be due afterwards
  void metadata_changed(std::shared_ptr<const coordinator::MetadataView> metadata, const Now& now, Effects& effects);
  void job_done(std::uint64_t incarnation, const typename Family::JobResult& result, const Now& now, Effects& effects);
  // The batch of take_write() is durable, or nothing of it counts: the log's end is where it was before.
  void written(std::uint64_t incarnation, Effects& effects);
  void write_failed(std::uint64_t incarnation, const Error& error, Effects& effects);
  // What ShardRead asked for; nothing more of it comes before load_slice() has used it up.
  void loaded(std::uint64_t incarnation, LogChunk chunk);
  void load_failed(std::uint64_t incarnation, const Error& error, const Now& now);
  // While wants_slice(): applies a slice of what was read.
  void load_slice(const Now& now, Effects& effects);
  // Refuses what is asked from here on. Done when is_drained().
  void stop(Effects& effects);
  // Gives every open request back, refused: the owner goes away and waits for nothing.
  void abandon(Effects& effects);

  // ---- outputs ----
  // The next batch to write, if there is one and none is being written. Asked for at the end of a turn, so that the
  // requests of one turn share a batch.
  std::optional<ShardWrite> take_write();
  bool wants_slice() const { return replay_.has_chunk(); }
  std::optional<MonoTime> next_deadline() const;
  bool is_drained() const { return state_ == ShardState::kStopping && pending_.empty(); }

  ShardState state() const { return state_; }
  std::uint64_t incarnation() const { return incarnation_; }
  std::int64_t durable_end() const { return pending_.durable_end(); }
  bool is_all_durable() const { return pending_.empty(); }
  const ShardStats& stats() const { return stats_; }
  // Null before the first load.
  const Coordinator* coordinator() const { return coordinator_.get(); }

 private:
  // An open request. Its token is its place here and how often the place was used.
  struct OpenCall {
    CallId call;
    std::uint32_t use = 0;
    bool is_open = false;
    bool is_answered = false;  // decided; waits for the log
  };
  struct Waiting {
    ReplyToken token;
    Response response;
  };
  struct EncodedRecord {
    std::size_t key_begin = 0;  // in encoded_keys_
    std::size_t key_bytes = 0;
    std::size_t value_begin = 0;  // in encoded_values_
    std::size_t value_bytes = 0;
    bool has_value = false;  // else a tombstone
    std::size_t batch_bytes() const { return key_bytes + value_bytes + kRecordOverheadBytes; }
  };
  // Whose step it is: a request can be refused, the rest is the shard's own business and bounded by its state.
  enum class Origin : std::uint8_t { kRequest, kInside };

  bool is_live() const { return state_ == ShardState::kActive || state_ == ShardState::kReadOnly; }
  bool is_stale(std::uint64_t incarnation, bool expected);
  coordinator::Context context(const Now& now) { return {now, ids_, metadata_}; }

  void begin_load(Effects& effects);
  void finish_load(const Now& now, Effects& effects);
  void fail_load(const Error& error, const Now& now);
  Duration backoff() const;

  // A step: between the two, the coordinator decides. False: its records could not be written and are gone.
  void begin_step();
  bool finish_step(Origin origin, const Now& now, Effects& effects);
  void take_back(const Refusal& refusal, const Now& now, Effects& effects);
  Result<void> encode_records();
  std::optional<Refusal> refusal_of_records(Origin origin);
  void write_records(const Now& now);

  ReplyToken open_call(CallId call);
  OpenCall& open_at(ReplyToken token);
  void answer(ReplyToken token, Response response, Effects& effects);
  void refuse(CallId call, const Refusal& refusal, Effects& effects);
  void refuse_open_calls(const Refusal& refusal, bool also_answered, Effects& effects);

  const std::string name_;
  const typename Family::Config& config_;
  coordinator::IdSource& ids_;
  const ShardLimits limits_;
  std::shared_ptr<const coordinator::MetadataView> metadata_;

  ShardState state_ = ShardState::kIdle;
  std::uint64_t incarnation_ = 0;
  int failures_ = 0;  // of writes and loads, since the last write that succeeded
  std::optional<MonoTime> retry_at_;
  std::unique_ptr<Coordinator> coordinator_;
  TimerQueue<typename Family::TimerKey> timers_;
  PendingBatches<Waiting> pending_;
  LogReplay replay_;
  std::vector<OpenCall> calls_;
  std::vector<std::uint32_t> free_calls_;
  ShardStats stats_;

  // Of the present step; kept for their memory.
  typename Family::Output output_;
  protocol::ByteBuffer encoded_keys_;
  protocol::ByteBuffer encoded_values_;
  std::vector<EncodedRecord> encoded_;
  std::size_t encoded_batch_bytes_ = 0;  // an upper bound of what they take in a batch
};

}  // namespace cohort::runtime
