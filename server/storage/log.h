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
// Positions: start <= durable <= end. end moves with append(), durable with sync(). Only whole batches; no gaps but
// those that compaction left (see compaction.h).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/wire/records.h"
#include "server/storage/checkpoint.h"
#include "server/storage/fs.h"
#include "server/storage/leader_epochs.h"
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
  // kSync: a batch is synced before the next is written, and an append is one batch. Then whatever is sound behind a
  // bad batch proves that this one had been synced: damage, not a torn write.
  bool one_batch_at_a_time = false;
  // Which log it is, without line ends; empty: not said. Kept in the checkpoint, so that a folder in another one's
  // place is not taken for it. LogSet's to set.
  std::string identity = {};
  bool verify_all_on_open = false;  // read and check every byte, not only what is above the recovery point
};

struct RecoveryReport {
  std::uint64_t bytes_cut = 0;      // after the last good batch; zeros and torn batches alike
  std::uint64_t bytes_scanned = 0;  // checksummed
  std::uint64_t batches_scanned = 0;
  std::uint64_t indexes_rebuilt = 0;
  std::uint64_t files_removed = 0;  // temporary and left-over files of ours; foreign names are left alone and logged
};

// Where the batches of a read may be.
enum class ReadForm {
  kBytes,   // in memory
  kRegion,  // many: in the file (Records::region), looked at only around their ends; few: in memory
};

struct ReadResult {
  protocol::Records batches{};  // whole batches, owned; empty when there is nothing between from_offset and the limit
  // Base offset of the first batch: below from_offset, when that lies inside it, or above, when that lies in a gap.
  std::int64_t first_offset = 0;
  std::int64_t next_offset = 0;   // where to go on; from_offset when empty
  std::int64_t segment_base = 0;  // where the bytes were, to name the place in an error
  std::uint64_t position = 0;
};

struct TimestampOffset {
  std::int64_t timestamp_ms = 0;
  std::int64_t offset = 0;

  friend bool operator==(const TimestampOffset&, const TimestampOffset&) = default;
};

// A file that is to take the place of closed segments that lie side by side; made by Compaction.
struct Replacement {
  std::vector<std::shared_ptr<const Segment>> sources;
  std::string temporary_path;          // synced; to be renamed
  std::shared_ptr<File> file;          // the same, open
  std::shared_ptr<SparseIndex> index;  // of all of it: from the first source's base to the last one's end
  std::int64_t rests_on = 0;           // what is below must be durable: for it, batches were left out
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
  // All below is as durable as this log promises. Changes with set_options(): for the writer, and before it begins.
  std::int64_t promised_offset() const {
    return options_.durability == Durability::kSync ? durable_offset() : end_offset();
  }
  const std::string& dir() const { return dir_; }
  const RecoveryReport& recovery() const { return recovery_; }
  std::vector<SegmentInfo> segments() const;  // oldest first, the last one is being written
  std::uint64_t size_bytes() const;
  // The largest timestamp of the first batch in the last segment: what its age counts from. -1: no batch, or without.
  std::int64_t first_timestamp_ms() const { return first_timestamp_ms_.load(std::memory_order_relaxed); }
  std::vector<std::shared_ptr<const Segment>> closed_segments() const;  // all but the last one, oldest first
  // Below it each key's records were compacted away but for the last one; what compaction does next begins here.
  std::int64_t cleaned_offset() const { return cleaned_.load(std::memory_order_acquire); }
  // False: replace() and set_cleaned_offset() fail until the log is opened again; the disk refused one of their steps.
  bool can_replace() const { return can_replace_.load(std::memory_order_acquire); }

  // Whole batches from the one that holds from_offset on, all of them below limit_offset: as many as fit into
  // max_bytes, and the first one in any case if at_least_one_batch. kNotFound: from_offset is outside [start, end].
  // kCorrupt: the chain of batch headers is broken (checksums are not looked at here: LogReader and clients do).
  Result<ReadResult> read(std::int64_t from_offset, std::size_t max_bytes, std::int64_t limit_offset,
                          bool at_least_one_batch, ReadForm form = ReadForm::kBytes) const;
  // The first record below limit_offset whose timestamp is at least timestamp_ms (Kafka:
  // LogSegment.findOffsetByTimestamp).
  Result<std::optional<TimestampOffset>> offset_for_timestamp(std::int64_t timestamp_ms,
                                                              std::int64_t limit_offset) const;
  // The first record with the largest timestamp below limit_offset (ListOffsets -3).
  Result<std::optional<TimestampOffset>> max_timestamp(std::int64_t limit_offset) const;

  // --- log_epochs.cc ---
  // The largest leader epoch up to `epoch` that the log knows, and where it ends (KIP-320). current: the one that is
  // being written, with batches or not. Nothing known: the defaults.
  EpochEnd end_of_epoch(std::int32_t epoch, std::int32_t current) const;
  // The leader epoch of the record at this offset; kNoEpoch: not known.
  std::int32_t epoch_at(std::int64_t offset, std::int32_t current) const;

  // --- the writer ---
  // One or more whole batches whose first base offset is end_offset() and which follow each other without a gap;
  // anything else is kMalformed and nothing is written. Checksums are the caller's: bytes are stored as they are.
  // kIo (ENOSPC: disk full): nothing was added; end_offset() is as before, and half-written bytes are cut off again.
  // kTooLarge: above max_unsynced_bytes (kSync) or 2^31-1, or several batches where one is allowed. If needs_seal()
  // afterwards, see there.
  Result<void> append(std::span<const std::byte> batches);
  // True: append() of so many bytes is a write into the page cache and nothing else, no sync, no new segment, no
  // checkpoint. For a writer that appends on its reactor and leaves all that can wait for the disk to a log thread.
  bool append_only_writes(std::uint64_t bytes) const;
  // Moves durable_offset() to end_offset(). After a failure needs_seal() is true.
  Result<void> sync();
  // Moves promised_offset() to end_offset(): a sync, if that is what the log promises.
  Result<void> keep_promise() { return options_.durability == Durability::kSync ? sync() : Result<void>{}; }
  // A sync failed (or half-written bytes could not be cut off): what is above durable_offset() is not on the disk,
  // whatever reads show or a later sync says, and append() and sync() refuse until seal() has succeeded.
  bool needs_seal() const { return needs_seal_; }
  // Ends the last segment at the durable end and goes on in a new one. kSync: nobody was promised what lies above, it
  // is cut off, and end_offset() falls to durable_offset(). kOs: it was acknowledged, so it is read back, checked, and
  // written and synced in the new segment; durable_offset() rises to end_offset(). Until then it can be read. kCorrupt:
  // the page cache has not got it any more. Repeatable.
  Result<void> seal();
  // Starts a new segment unless the last one is empty. For retention by time; append() rolls by itself by size.
  Result<void> roll();
  // Raises the start to offset (offset <= end; a lower one only deletes what is left over), durably, then deletes whole
  // segments below it. The last segment always stays. Needs no room on a full disk if it frees a segment.
  Result<void> delete_before(std::int64_t offset);
  // Files that are not needed any more when all below offset is to be deleted: see replace_file().
  std::vector<std::string> expendable_before(std::int64_t offset) const;
  // Puts the file in the place of its sources, durably. kNotFound: they are not segments of this log any more (deleted
  // meanwhile), or the log ends below rests_on. After an error the log holds the sources or the file, and so it does
  // after a crash at any moment.
  Result<void> replace(Replacement replacement);
  Result<void> set_cleaned_offset(std::int64_t offset);  // durably; all below has gone through replace()
  // Other durability or sizes from now on; syncs and writes a checkpoint when the durability or its window changes.
  Result<void> set_options(const LogOptions& options);
  bool writes_one_batch() const { return window_of(options_).one_batch; }
  // Syncs, writes the recovery point and the index of the last segment: the next open scans nothing. Reading stays
  // possible, writing is over. Costs no I/O when nothing was written since the last checkpoint.
  Result<void> close();
  // The folder is gone or about to be: every later writer call fails with kNotFound, and so do reads of segments that
  // are not open; reads of those that are go on. Any thread.
  void mark_removed();

 private:
  class Recovery;
  // A segment as a reader saw it at one moment.
  struct View {
    std::shared_ptr<const Segment> segment;
    SegmentSummary summary;
    bool is_live = false;              // the last segment: its index is looked at under the mutex
    std::shared_ptr<const File> file;  // null until open_view(), like the index
    std::shared_ptr<const SparseIndex> index;
  };

  Log(Fs& fs, SegmentCache& cache, std::string dir, const LogOptions& options);

  // --- log_append.cc: the writer ---
  Result<void> writable() const;
  Result<std::int64_t> check_batches(std::span<const std::byte> batches) const;
  bool must_sync_before(std::uint64_t bytes) const;
  Result<void> make_room(std::uint64_t bytes, std::int64_t new_end);
  Result<void> undo_append();
  Result<void> sync_folder_once();
  Result<void> sync_active();
  enum class StartWith { kNothing, kUnsynced };  // kUnsynced: what the present one has above its durable end
  // A new and durable last segment; the present one ends where it is durable, or goes if it has the same base offset.
  Result<void> start_segment(std::int64_t base_offset, StartWith start_with);
  Result<std::int64_t> copy_unsynced(Segment& to) const;
  void publish_segment(std::shared_ptr<Segment> next);
  std::shared_ptr<SparseIndex> index_of_durable() const;
  void cut_unsynced();
  // Precondition: everything is synced. Writes the index of the last segment, too.
  Result<void> write_checkpoint(std::int64_t start_offset, const Window& window);
  Result<void> store_checkpoint(const Checkpoint& next);
  bool checkpoint_is_current() const;
  static Window window_of(const LogOptions& options);

  // --- log_replace.cc: the writer, too ---
  Result<void> replaceable();
  Result<void> sync_names();
  void stop_replacing();
  Result<void> make_durable(std::int64_t offset);
  Result<void> allow_gaps_below(std::int64_t offset);
  Result<void> remove_merged();
  Result<void> remove_index(std::int64_t base_offset);
  // Puts `now` in the place of `count` segments from segments_[first] on.
  std::vector<std::shared_ptr<Segment>> exchange_segments(std::size_t first, std::size_t count,
                                                          std::vector<std::shared_ptr<Segment>> now);

  // --- log_read.cc and log_timestamps.cc: readers ---
  std::optional<View> find_view(std::int64_t offset) const;
  std::vector<View> all_views() const;
  View view_of(const std::shared_ptr<Segment>& segment) const;  // under the mutex
  Result<void> open_view(View& view) const;
  // A seal, a deletion or a compaction has taken away what the view shows: an error met while reading it means nothing.
  bool is_outdated(const View& view) const;
  static constexpr int kAttempts = 3;  // to read; each but the first follows an error that an outdated view gave
  template <typename Fn>
  auto with_index(const View& view, Fn fn) const;
  Result<ReadResult> read_segment(const View& view, std::int64_t from_offset, std::size_t max_bytes,
                                  std::int64_t limit_offset, bool at_least_one_batch, ReadForm form) const;
  Result<ReadResult> locate(const View& view, ReadResult found, std::size_t max_bytes, std::int64_t limit_offset,
                            bool at_least_one_batch) const;
  Result<std::optional<TimestampOffset>> find_record(View& view, std::int64_t timestamp_ms,
                                                     std::int64_t limit_offset) const;
  Result<std::optional<TimestampOffset>> find_in_batch(const View& view, std::uint64_t position, std::size_t size,
                                                       std::int64_t timestamp_ms) const;
  using TimestampResult = Result<std::optional<TimestampOffset>>;
  template <typename Fn>
  TimestampResult on_current_views(Fn fn) const;
  // An empty batch, which compaction left, has a time, and a summary counts it.
  enum class Trust { kSummaries, kRecords };
  Result<std::int64_t> visible_max_timestamp(View& view, std::int64_t limit_offset, Trust trust) const;
  // Turns what a parser said into an error that names the place; an error of the disk stays as it is.
  std::unexpected<Error> damaged(const View& view, std::uint64_t position, Error why) const;

  Fs& fs_;
  SegmentCache& cache_;
  const std::string dir_;
  LogOptions options_;
  RecoveryReport recovery_;

  std::atomic<std::int64_t> start_{0};
  std::atomic<std::int64_t> end_{0};
  std::atomic<std::int64_t> durable_{0};
  std::atomic<std::int64_t> cleaned_{0};
  std::atomic<std::int64_t> first_timestamp_ms_{-1};
  std::atomic<bool> can_replace_{true};
  std::atomic<bool> removed_{false};

  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Segment>> segments_;  // by base offset, never empty
  LeaderEpochs epochs_;                             // changed by the writer only

  // The writer's own.
  Checkpoint checkpoint_;      // as it is on the disk
  SegmentSummary durable_in_;  // the last segment as far as it is durable
  bool needs_seal_ = false;
  bool must_roll_ = false;           // a file for the next segment may exist: nothing more may go into this one
  std::deque<std::int64_t> merged_;  // base offsets of files whose batches went into another one: to be removed
  bool closed_ = false;
  bool is_folder_synced_ = false;
};

}  // namespace cohort::storage
