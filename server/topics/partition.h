// The driver of one partition: gives its core a log, threads to write on, and those who wait. Owned by a PartitionHost;
// everything happens on its reactor, except for the jobs on log threads, of which at most one is under way.
//
// Writing. A topic that promises no more than the operating system does is written right here, on the reactor, as long
// as the log only has to write: a copy into the page cache is cheaper than two hops. Everything that can wait for the
// disk (a sync, a new segment, a checkpoint, deleting) is a job on a log thread; what is produced meanwhile gathers and
// makes the next job, one sync for many batches.
//
// Failing. A failed write fails all that is on its way with KAFKA_STORAGE_ERROR; then the core is thrown away and made
// again from the log, up to where that is durable. Until that is done nothing is written; if
// it fails, it is tried again after a while (TopicStoreOptions::retry_after).
//
// A partition of an internal topic is a foreign one: its log's writer is a shard, here it is only read, and compacted
// beside the shard's writes.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/wire/bytes.h"
#include "server/storage/log.h"
#include "server/storage/log_set.h"
#include "server/topics/cleaner.h"
#include "server/topics/partition_core.h"

namespace cohort::reactor {
class Reactor;
}
namespace cohort::storage {
class LogThreads;
struct CompactionOptions;
}  // namespace cohort::storage

namespace cohort::topics {

class Partition;
struct TopicStoreOptions;

// What all partitions of one reactor share. Owned by the PartitionHost.
struct PartitionShared {
  reactor::Reactor& reactor;
  storage::Fs& fs;
  storage::LogThreads& threads;
  Cleaner& cleaner;
  const TopicStoreOptions& options;
  // The high watermark moved, by about so many bytes, or the partition is closing: look at parked fetches.
  std::function<void(Partition& partition, std::size_t more_bytes)> on_moved;
  std::function<void(Partition& partition)> on_start_raised;  // the log begins later: look at parked fetches, too
  std::size_t inflight_bytes = 0;                             // on their way to the log
  std::vector<std::byte> scratch = {};                        // of batches that are written at once
  protocol::ByteBuffer decompressed = {};                     // of batches that are looked into
  std::size_t decompressed_bytes = 0;                         // looked into since the host set it to 0
};

// What a partition is opened with.
struct PartitionSeed {
  storage::LogId id;
  TopicConfig config;
  std::int32_t leader_epoch = 0;
  std::shared_ptr<storage::Log> log;
  std::optional<PartitionCore> core;  // none: a foreign partition
  std::uint64_t tail_bytes = 0;       // of log behind the last snapshot of producer state
};

storage::LogOptions log_options(const TopicConfig& config);

class Partition : public std::enable_shared_from_this<Partition> {
 public:
  using Answered = std::move_only_function<void(ProducedPartition)>;

  Partition(PartitionShared& shared, PartitionSeed seed, std::uint64_t log_key);

  const storage::LogId& id() const { return id_; }
  const TopicConfig& config() const { return config_; }
  const std::shared_ptr<storage::Log>& log() const { return log_; }
  bool is_foreign() const { return is_foreign_; }
  bool is_closing() const { return closing_; }

  // answered is called once, perhaps at once.
  void produce(const protocol::Bytes& records, std::int16_t acks, std::int16_t version, Now now, Answered answered);

  using Deleted = std::move_only_function<void(DeletedRecords)>;
  // answered is called once, perhaps at once: what was asked for is durable then.
  void delete_records(std::int64_t offset, Now now, Deleted answered);

  // Reads; nothing is waited for. at_least_one: the first batch comes whole although it is larger than max_bytes.
  FetchedPartition fetch(const FetchPartition& request, std::size_t max_bytes, bool at_least_one) const;
  ListedOffset list_offset(const ListOffsetsPartition& request) const;
  EpochEndAnswer end_of_epoch(const EpochEndPartition& request) const;
  ActiveProducers active_producers(const ProducersPartition& request) const;
  std::int64_t high_watermark() const { return core_ ? core_->high_watermark() : foreign_high_watermark_; }

  // Of a foreign partition.
  void foreign_durable(std::int64_t end_offset);
  void set_config(const TopicConfig& config);
  // What time asks for: retention, syncs by flush.ms, snapshots of producer state, forgetting producers.
  void housekeep(Now now);
  // Of that, the syncs by flush.ms alone.
  void flush(Now now);
  // Begins a round of compaction if the topic asks for it and enough is new.
  void clean(Now now);
  // Refuses what comes, fails what waits; done when no job is under way.
  void close(std::function<void()> done);
  // Saves producer state if the next start would have much to read without it. Blocks: when the reactors have stopped.
  void save() const;

 private:
  enum class State { kReady, kReloading, kFailed };
  struct Waiting {
    std::int64_t needs_end_offset;
    ProducedPartition answer;
    Answered answered;
  };
  struct Group {  // batches that one job writes; at most one segment, unless it is a single batch
    std::vector<std::byte> bytes;
    std::int64_t end_offset = 0;
    std::int64_t records = 0;
  };
  struct Deletion {
    std::int64_t offset;
    Deleted answered;  // empty: by retention
  };
  struct ProducerSnapshot {
    std::int64_t offset = -1;  // -1: none
    std::string encoded = {};
  };
  struct Work;     // of a job
  struct Outcome;  // of a job

  bool is_in_range(const FetchPartition& request, std::int64_t start) const;
  bool has_same_history(const FetchPartition& request, FetchedPartition& fetched) const;
  void split_last_group(std::size_t bytes, std::int64_t end_offset, std::int64_t records);
  bool needs_disk(const Group& group, Now now) const;
  bool is_flush_due(Now now) const;
  bool is_roll_due(const Group& group) const;
  storage::LogOptions wanted_options() const;
  bool are_options_due(Now now) const { return options_changed_ && now.mono >= retry_at_; }
  bool write_inline(Now now);
  void pump(Now now);
  void start(Work work);
  static Outcome run(Work& work, storage::Fs& fs, const TopicStoreOptions& options);
  void on_appended(std::int64_t end_offset);
  void on_done(Outcome outcome);
  ProducerSnapshot snapshot_of_producers() const;
  std::int64_t take_deletions(std::int64_t job_end);
  void end_deletions(std::vector<Deletion> deletions, protocol::ErrorCode error);
  void refuse_deletions(protocol::ErrorCode error);
  void fail_writes(const Error& error);
  void refuse_waiting(protocol::ErrorCode error, const std::string& why);
  void reload();
  void add_waiting(std::deque<Waiting>& queue, Waiting waiting);
  void release(std::deque<Waiting>& queue, std::int64_t end_offset);
  void moved(std::int64_t old_high_watermark, std::size_t bytes);
  std::int64_t retention_offset(Now now) const;
  std::int64_t segment_ms() const;
  bool wants_roll(const std::vector<storage::SegmentInfo>& segments) const;
  bool run_round(storage::CompactionOptions options, bool roll);
  void hand_over(Cleaner::StepJob job);
  void cancel_round();
  void on_cleaned(bool failed);
  void finish_closing();

  PartitionShared& shared_;
  const storage::LogId id_;
  const std::uint64_t log_key_;
  const std::int32_t leader_epoch_;
  TopicConfig config_;  // its durability is never less than what the log promises
  config::Durability wanted_durability_;
  std::shared_ptr<storage::Log> log_;
  std::optional<PartitionCore> core_;
  const bool is_foreign_;
  std::int64_t foreign_high_watermark_ = 0;

  State state_ = State::kReady;
  bool closing_ = false;
  std::function<void()> closed_;
  bool job_under_way_ = false;
  bool housekeeping_due_ = false;
  bool log_syncs_;                // its promise: a failed sync would cut off what was not synced
  bool options_changed_ = false;  // the log has others than are wanted
  // Of compaction; a cleaner's thread begins it.
  enum class Round : std::uint8_t { kNone, kQueued, kRunning };
  std::atomic<Round> round_{Round::kNone};
  Cleaner::StepJob cleaning_step_;  // of it, waits for the job that is under way
  std::atomic<bool> cleaning_cancelled_{false};
  MonoTime clean_not_before_{};
  MonoTime retry_at_{};
  MonoTime full_until_{};               // the disk was full: each try costs a reload, so there is one now and then
  std::deque<Group> groups_;            // waiting for their job, oldest first
  std::deque<Waiting> until_written_;   // by needs_end_offset
  std::deque<Waiting> until_durable_;   // by needs_end_offset
  std::vector<Deletion> deletions_;     // wait for their job
  ProducerSnapshot producers_to_save_;  // before those that wait
  std::vector<Deletion> deleting_;      // of the job under way
  std::int64_t start_seen_ = 0;         // the log's start after the last job
  std::int64_t unsynced_records_ = 0;
  std::optional<MonoTime> unsynced_since_;
  std::uint64_t bytes_since_snapshot_ = 0;
};

}  // namespace cohort::topics
