// Log: one append-only log of whole record batches (RecordBatch v2) in segments; a topic partition and a partition of
// the coordinator's internal topics alike. Files and recovery are described in LOG_FORMAT.md.
//
// Owner: LogSet. Lifetime: a shared_ptr keeps a Log readable after LogSet::remove().
// Threads: writer functions on one thread at a time (a job on LogThreads, or the simulation's only thread); reader
// functions on any thread, also while the writer works. The three positions are atomics; a small mutex guards the list
// of segments and the index of the last one and is never held during I/O. Why not a published snapshot instead: the
// index of the last segment grows with nearly every append, and a reader holds the mutex for one binary search.
// Why no thread and no clock in here: the simulation runs the same code, step by step.
//
// Positions: start <= durable <= end. end moves with append(), durable with sync(). Only whole batches, no gaps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/wire/bytes.h"
#include "server/storage/checkpoint.h"
#include "server/storage/fs.h"
#include "server/storage/segment.h"

namespace cohort::storage {

enum class Durability {
  kSync,  // the owner syncs before it acknowledges; never more than max_unsynced_bytes are written and not synced
  kOs,    // as Kafka: safe against the death of the process, not of the machine
};

struct LogOptions {
  Durability durability = Durability::kOs;
  std::uint64_t segment_bytes = std::uint64_t{1} << 30;        // 1 KiB to 2^31-1; one append is never split
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;    // the longest tail that a restart has to scan, roughly
  std::uint64_t max_unsynced_bytes = std::uint64_t{16} << 20;  // kSync: also the largest append
  bool verify_all_on_open = false;  // read and check every byte, not only what is above the recovery point
};

struct RecoveryReport {
  std::uint64_t bytes_cut = 0;      // after the last good batch; zeros and torn batches alike
  std::uint64_t bytes_scanned = 0;  // checksummed
  std::uint64_t batches_scanned = 0;
  std::uint64_t indexes_rebuilt = 0;
  std::uint64_t files_removed = 0;  // temporary and left-over files of ours; foreign names are left alone and logged
};

struct ReadResult {
  protocol::Bytes batches;        // whole batches, owned; empty when there is nothing between from_offset and the limit
  std::int64_t first_offset = 0;  // base offset of the first batch; may be below from_offset, which lies inside it
  std::int64_t next_offset = 0;   // where to go on; from_offset when empty
  std::int64_t segment_base = 0;  // where the bytes were, to name the place in an error
  std::uint64_t position = 0;
};

struct TimestampOffset {
  std::int64_t timestamp_ms = 0;
  std::int64_t offset = 0;

  friend bool operator==(const TimestampOffset&, const TimestampOffset&) = default;
};

struct SegmentInfo {
  std::int64_t base_offset = 0;
  std::int64_t end_offset = 0;
  std::uint64_t size_bytes = 0;
  std::int64_t max_timestamp_ms = -1;  // -1: no batch, or none with a timestamp
};

class Log {
 public:
  // Makes the folder's first files; `dir` must exist and be empty. Durable once the caller has synced dir's parent.
  static Result<void> create_files(Fs& fs, const std::string& dir, const LogOptions& options,
                                   std::int64_t start_offset);
  // Opens and recovers. kCorrupt: bytes that had been synced are missing or wrong; the message names file, position and
  // what was expected, and nothing was changed. fs and cache must outlive the Log.
  static Result<std::shared_ptr<Log>> open(Fs& fs, SegmentCache& cache, std::string dir, const LogOptions& options);
  ~Log();  // syncs nothing: close() does

  // --- any thread ---
  std::int64_t start_offset() const { return start_.load(std::memory_order_acquire); }
  std::int64_t end_offset() const { return end_.load(std::memory_order_acquire); }          // next offset to write
  std::int64_t durable_offset() const { return durable_.load(std::memory_order_acquire); }  // all below is on the disk
  const std::string& dir() const { return dir_; }
  const RecoveryReport& recovery() const { return recovery_; }
  std::vector<SegmentInfo> segments() const;  // oldest first, the last one is being written
  std::uint64_t size_bytes() const;

  // Whole batches from the one that holds from_offset on, all of them below limit_offset: as many as fit into
  // max_bytes, and the first one in any case if at_least_one_batch. kNotFound: from_offset is outside [start, end].
  // kCorrupt: the chain of batch headers is broken (checksums are not looked at here: LogReader and clients do).
  Result<ReadResult> read(std::int64_t from_offset, std::size_t max_bytes, std::int64_t limit_offset,
                          bool at_least_one_batch) const;
  // The first record below limit_offset whose timestamp is at least timestamp_ms (Kafka:
  // LogSegment.findOffsetByTimestamp).
  Result<std::optional<TimestampOffset>> offset_for_timestamp(std::int64_t timestamp_ms,
                                                              std::int64_t limit_offset) const;
  // The first record with the largest timestamp below limit_offset (ListOffsets -3).
  Result<std::optional<TimestampOffset>> max_timestamp(std::int64_t limit_offset) const;

  // --- the writer ---
  // One or more whole batches whose first base offset is end_offset() and which follow each other without a gap;
  // anything else is kMalformed and nothing is written. Checksums are the caller's: bytes are stored as they are.
  // kIo (ENOSPC: disk full): nothing was added; end_offset() is as before, and half-written bytes are cut off again.
  // kTooLarge: above max_unsynced_bytes (kSync) or 2^31-1. If needs_seal() afterwards, see there.
  Result<void> append(std::span<const std::byte> batches);
  // Moves durable_offset() to end_offset(). After a failure needs_seal() is true.
  Result<void> sync();
  // A sync failed (or half-written bytes could not be cut off): what is above durable_offset() counts as lost, whatever
  // reads show, and append() and sync() refuse until seal_at_durable() has succeeded.
  bool needs_seal() const { return needs_seal_; }
  // Cuts the last segment at the durable end and starts a new one: end_offset() falls to durable_offset(). Repeatable.
  Result<void> seal_at_durable();
  // Starts a new segment unless the last one is empty. For retention by time; append() rolls by itself by size.
  Result<void> roll();
  // Raises the start to offset (start < offset <= end; lower is a no-op), durably, then deletes whole segments below
  // it. The last segment always stays.
  Result<void> delete_before(std::int64_t offset);
  // Other durability or sizes from now on; syncs and writes a checkpoint when the durability or its window changes.
  Result<void> set_options(const LogOptions& options);
  // Syncs, writes the recovery point and the index of the last segment: the next open scans nothing. Reading stays
  // possible, writing is over. Costs no I/O when nothing was written since the last checkpoint.
  Result<void> close();
  // The folder is gone or about to be: every later writer call fails with kNotFound. Reads of open files go on.
  void mark_removed();

 private:
  class Recovery;
  Log(Fs& fs, SegmentCache& cache, std::string dir, const LogOptions& options);

  Result<void> writable() const;
  Result<void> sync_active();
  Result<void> start_segment(std::int64_t base_offset);
  Result<void> write_checkpoint();
  Result<void> undo_append(std::uint64_t size);
  std::shared_ptr<Segment> find_segment(std::int64_t offset) const;

  Fs& fs_;
  SegmentCache& cache_;
  const std::string dir_;
  LogOptions options_;
  RecoveryReport recovery_;

  std::atomic<std::int64_t> start_{0};
  std::atomic<std::int64_t> end_{0};
  std::atomic<std::int64_t> durable_{0};

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_;  // by base offset, never empty

  // The writer's own.
  Checkpoint checkpoint_;               // as it is on the disk
  std::uint64_t durable_position_ = 0;  // in the last segment
  bool needs_seal_ = false;
  bool closed_ = false;
  std::atomic<bool> removed_{false};
};

}  // namespace cohort::storage
