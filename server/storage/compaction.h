// Compaction: one round of compaction by key over a log (Kafka: cleanup.policy=compact, Cleaner and LogCleanerManager).
// The last record of each key stays, the log's end and the offsets of what stays never change.
//
// Owner: whoever runs the round; keeps the Log alive. Threads: the long part (plan, write_next) on any thread, one at a
// time, beside the log's writer and its readers; the short part (Log::replace, Log::set_cleaned_offset) where the
// writer runs. compact() is both in their order. Memory: the map of offsets, a read and a batch.
// Why rounds over whole segments and not records taken out in place: a file is never changed once something follows it,
// so readers need no lock and a crash leaves the old file or the new one.
// A round against a map that does not hold all keys ends where the map does; the next one goes on there.
//
// One difference from Kafka: the last batch of each segment stays, if need be empty, where Kafka keeps that of the
// round. So each segment runs exactly to the name of the next, and a start notices a missing file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/base/seeded_hash.h"
#include "server/storage/batch_filter.h"
#include "server/storage/log.h"
#include "server/storage/offset_map.h"

namespace cohort::storage {

struct CompactionOptions {
  std::int64_t limit_offset = 0;  // what goes on above it is not touched: the high watermark
  std::int64_t now_ms = 0;
  std::int64_t delete_retention_ms = 0;
  std::int64_t min_lag_ms = 0;                                         // a younger segment is not touched
  std::int64_t max_lag_ms = std::numeric_limits<std::int64_t>::max();  // an older dirty one is compacted in any case
  double min_dirty_ratio = 0.5;
  std::size_t map_bytes = std::size_t{128} << 20;
  std::uint64_t segment_bytes = std::uint64_t{1} << 30;  // neighbours are merged up to here
  // Last offset of each live producer's last batch.
  std::unordered_map<std::int64_t, std::int64_t, SeededHash> producers = {};
  std::function<bool()> is_cancelled = {};  // asked about once per MiB; may be empty
};

class Compaction {
 public:
  // Nothing: not worth while now. Kafka: LogCleanerManager.grabFilthiestCompactedLog, for one log.
  static Result<std::optional<Compaction>> plan(Fs& fs, std::shared_ptr<const Log> log, CompactionOptions options);

  // The next file, written and synced, for Log::replace; nothing: that was the last one. kNotFound: the log has lost
  // segments meanwhile, or the round was cancelled: it is over.
  Result<std::optional<Replacement>> write_next();
  // When all are replaced: for Log::set_cleaned_offset.
  std::int64_t end_offset() const { return map_end_; }

 private:
  using Segments = std::vector<std::shared_ptr<const Segment>>;

  Compaction(Fs& fs, std::shared_ptr<const Log> log, CompactionOptions options);
  void choose_segments();
  Result<bool> is_overdue() const;
  Result<void> build_map();
  Result<bool> map_batch(const protocol::BatchView& batch, protocol::ByteBuffer& scratch);
  Segments next_group();
  Result<bool> write_group(const Segments& group, Replacement& replacement);
  template <typename Fn>
  Result<void> for_each_batch(std::int64_t from_offset, std::int64_t end_offset, Fn fn) const;

  Fs* fs_;
  std::shared_ptr<const Log> log_;
  CompactionOptions options_;
  Segments segments_;  // that may be compacted, from the log's first on
  std::int64_t first_dirty_ = 0;
  std::uint64_t clean_bytes_ = 0;
  std::uint64_t dirty_bytes_ = 0;
  std::unique_ptr<OffsetMap> map_;  // once it is built
  std::int64_t map_end_ = 0;
  std::unique_ptr<BatchFilter> filter_;
  std::size_t next_segment_ = 0;
};

// Runs a function where the log's writer runs and waits for it. It owns what it touches: an on_writer that cannot wait
// any longer may leave it behind.
using OnWriter = std::function<Result<void>(std::move_only_function<Result<void>()>)>;

// A whole round. False: not worth while now, cancelled, or the log lost segments meanwhile.
Result<bool> compact(Fs& fs, const std::shared_ptr<Log>& log, CompactionOptions options, const OnWriter& on_writer);

}  // namespace cohort::storage
