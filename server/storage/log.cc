#include "server/storage/log.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"

namespace cohort::storage {

Log::Log(Fs& fs, SegmentCache& cache, std::string dir, const LogOptions& options)
    : fs_(fs), cache_(cache), dir_(std::move(dir)), options_(options) {
  CHECK(options.segment_bytes >= 1024 && options.segment_bytes <= INT32_MAX, "segment_bytes is checked by config");
  CHECK(options.checkpoint_bytes > 0 && options.max_unsynced_bytes > 0);
}

Log::~Log() {
  for (const auto& segment : segments_) cache_.drop(segment.get());
}

Result<void> Log::create_files(Fs& fs, const std::string& dir, const LogOptions& options, std::int64_t start_offset) {
  auto file = fs.open(segment_path(dir, start_offset), OpenMode::kCreate);
  if (!file) return std::unexpected(std::move(file.error()));
  if (auto synced = (*file)->sync(); !synced) return synced;
  const Checkpoint checkpoint{.identity = options.identity,
                              .start_offset = start_offset,
                              .recovery_offset = start_offset,
                              .segment_base = start_offset,
                              .position = 0,
                              .window = window_of(options)};
  return replace_file(fs, dir, kCheckpointName, to_text(checkpoint));  // syncs the folder, too
}

std::vector<SegmentInfo> Log::segments() const {
  const std::lock_guard lock(mutex_);
  std::vector<SegmentInfo> infos;
  infos.reserve(segments_.size());
  for (const auto& segment : segments_) {
    const SegmentSummary& summary = segment->summary;
    infos.push_back({summary.base_offset, summary.end_offset, summary.covered_bytes, summary.max_timestamp_ms});
  }
  return infos;
}

std::uint64_t Log::size_bytes() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t bytes = 0;
  for (const auto& segment : segments_) bytes += segment->summary.covered_bytes;
  return bytes;
}

std::vector<std::shared_ptr<const Segment>> Log::closed_segments() const {
  const std::lock_guard lock(mutex_);
  return {segments_.begin(), std::prev(segments_.end())};
}

Window Log::window_of(const LogOptions& options) {
  if (options.durability != Durability::kSync) return {};
  return {.bytes = options.max_unsynced_bytes, .one_batch = options.one_batch_at_a_time};
}

bool Log::checkpoint_is_current() const {
  return checkpoint_.recovery_offset == end_offset() && checkpoint_.segment_base == durable_in_.base_offset &&
         checkpoint_.start_offset == start_offset() && checkpoint_.window == window_of(options_);
}

Result<void> Log::write_checkpoint(std::int64_t start_offset, const Window& window) {
  CHECK(durable_offset() == end_offset(), "a recovery point above what was synced");
  const Segment& last = *segments_.back();
  if (last.summary.covered_bytes > 0) {
    if (auto written = write_index(fs_, dir_, *last.index); !written) {
      if (!is_disk_full(written.error())) return written;
      log::warn("Log", "{}; the next start reads the segment", written.error().message);
    }
  }
  Checkpoint next = checkpoint_;
  next.start_offset = start_offset;
  next.recovery_offset = end_offset();
  next.segment_base = last.summary.base_offset;
  next.position = last.summary.covered_bytes;
  next.window = window;
  next.epochs = epochs_;
  next.epochs.cut_before(start_offset);
  return store_checkpoint(next);
}

Result<void> Log::store_checkpoint(const Checkpoint& next) {
  const auto expendable = expendable_before(next.start_offset);
  if (auto written = replace_file(fs_, dir_, kCheckpointName, to_text(next), expendable); !written) return written;
  checkpoint_ = next;
  return {};
}

// Indexes: one can be lost, should the segment still be needed.
std::vector<std::string> Log::expendable_before(std::int64_t offset) const {
  std::vector<std::string> paths;
  for (const auto& segment : segments_) {
    if (segment == segments_.back() || segment->summary.end_offset > offset) break;
    paths.push_back(index_path(dir_, segment->summary.base_offset));
  }
  return paths;
}

Result<void> Log::delete_before(std::int64_t offset) {
  if (auto ready = writable(); !ready) return ready;
  if (offset > end_offset()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("Cannot delete {} before offset {}: it ends at {}", dir_, offset, end_offset()));
  }
  // 1. The start must be durable before the first file goes, and so must all that it leaves behind as the log.
  if (offset > start_offset()) {
    if (auto synced = sync(); !synced) return synced;
    if (auto written = write_checkpoint(offset, checkpoint_.window); !written) return written;
    start_.store(offset, std::memory_order_release);
  }

  // 2. Whole segments below it, also one that could not be ended when the start was raised. What cannot be removed now
  // is removed at the next start.
  std::vector<std::shared_ptr<Segment>> dropped;
  {
    const std::lock_guard lock(mutex_);
    epochs_.cut_before(start_offset());
    auto kept = segments_.begin();
    while (segments_.end() - kept > 1 && (*kept)->summary.end_offset <= start_offset()) ++kept;
    dropped.assign(segments_.begin(), kept);
    segments_.erase(segments_.begin(), kept);
  }
  for (const auto& segment : dropped) {
    cache_.drop(segment.get());
    remove_segment_files(fs_, dir_, segment->summary.base_offset);
  }
  return {};
}

Result<void> Log::set_options(const LogOptions& options) {
  const Window window = window_of(options);
  if (window != checkpoint_.window) {
    if (auto ready = writable(); !ready) return ready;
    if (auto synced = sync(); !synced) return synced;
    if (auto written = write_checkpoint(start_offset(), window); !written) return written;
  }
  options_ = options;
  options_.identity = checkpoint_.identity;
  return {};
}

Result<void> Log::close() {
  if (closed_ || removed_.load(std::memory_order_acquire)) return {};
  if (needs_seal_) return writable();
  if (auto synced = sync(); !synced) return synced;
  if (!checkpoint_is_current()) {
    if (auto written = write_checkpoint(start_offset(), window_of(options_)); !written) return written;
  }
  closed_ = true;
  return {};
}

void Log::mark_removed() {
  removed_.store(true, std::memory_order_release);
}

}  // namespace cohort::storage
