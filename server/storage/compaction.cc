#include "server/storage/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/storage/log_reader.h"

namespace cohort::storage {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{1} << 20;
// So that the sync of somebody's commit need not wait for all of a round's bytes: with 16 MiB the 99th percentile of a
// commit's time is 88 ms in a round, with 2 MiB 16 ms, as outside of rounds.
constexpr std::uint64_t kSyncBytes = std::uint64_t{2} << 20;
constexpr std::size_t kMostMerged = 16;                                   // each costs the writer a sync of the folder
constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();  // bytes and offsets of a segment

}  // namespace

Compaction::Compaction(Fs& fs, std::shared_ptr<const Log> log, CompactionOptions options)
    : fs_(&fs), log_(std::move(log)), options_(std::move(options)) {}

Result<std::optional<Compaction>> Compaction::plan(Fs& fs, std::shared_ptr<const Log> log, CompactionOptions options) {
  if (!log->can_replace()) return std::nullopt;
  Compaction planned(fs, std::move(log), std::move(options));
  planned.choose_segments();
  if (planned.dirty_bytes_ == 0) return std::nullopt;
  const auto dirty = static_cast<double>(planned.dirty_bytes_);
  if (dirty / (dirty + static_cast<double>(planned.clean_bytes_)) > planned.options_.min_dirty_ratio) return planned;
  const auto overdue = planned.is_overdue();
  if (!overdue) return std::unexpected(overdue.error());
  if (!*overdue) return std::nullopt;
  return planned;
}

// LogCleanerManager.cleanableOffsets and LogToClean.
void Compaction::choose_segments() {
  first_dirty_ = std::max(log_->cleaned_offset(), log_->start_offset());
  for (auto& segment : log_->closed_segments()) {
    const SegmentSummary& summary = segment->summary;
    const bool is_dirty = summary.end_offset > first_dirty_;
    const bool is_young = options_.min_lag_ms > 0 && summary.max_timestamp_ms > options_.now_ms - options_.min_lag_ms;
    if (summary.end_offset > options_.limit_offset || (is_dirty && is_young)) break;
    if (summary.base_offset < first_dirty_) clean_bytes_ += summary.covered_bytes;
    if (is_dirty) dirty_bytes_ += summary.covered_bytes;
    segments_.push_back(std::move(segment));
  }
}

// LogCleanerManager.maxCompactionDelay: the first batch of a dirty segment says how old it is.
Result<bool> Compaction::is_overdue() const {
  if (options_.max_lag_ms == std::numeric_limits<std::int64_t>::max()) return false;
  for (const auto& segment : segments_) {
    if (segment->summary.end_offset <= first_dirty_) continue;
    const std::int64_t from = std::max(segment->summary.base_offset, log_->start_offset());
    const auto read = log_->read(from, 0, segment->summary.end_offset, true);
    if (!read) return std::unexpected(read.error());
    if (read->batches.empty()) continue;
    const std::int64_t timestamp_ms = protocol::BatchHeader(read->batches.view().data()).max_timestamp();
    if (timestamp_ms > 0 && timestamp_ms < options_.now_ms - options_.max_lag_ms) return true;
  }
  return false;
}

// fn gives whether to go on.
template <typename Fn>
Result<void> Compaction::for_each_batch(std::int64_t from_offset, std::int64_t end_offset, Fn fn) const {
  // What lies below the log's start is deleted already.
  LogReader reader(log_, std::max(from_offset, log_->start_offset()), end_offset);
  while (reader.next_offset() < end_offset) {
    if (options_.is_cancelled && options_.is_cancelled()) {
      return fail(ErrorKind::kNotFound, fmt::format("Compaction of {} was cancelled", log_->dir()));
    }
    const auto slice = reader.next();
    if (!slice) return std::unexpected(slice.error());
    for (auto rest = slice->view(); !rest.empty();) {
      const protocol::BatchView batch(rest.first(protocol::BatchHeader(rest.data()).size_in_bytes()));
      const Result<bool> more = fn(batch);
      if (!more) return std::unexpected(more.error());
      if (!*more) return {};
      rest = rest.subspan(batch.size_in_bytes());
    }
  }
  return {};
}

// Cleaner.buildOffsetMap.
Result<void> Compaction::build_map() {
  const std::int64_t end = segments_.back()->summary.end_offset;
  map_ = std::make_unique<OffsetMap>(options_.map_bytes);
  map_end_ = first_dirty_;
  protocol::ByteBuffer scratch;
  const auto built = for_each_batch(first_dirty_, end, [&](const protocol::BatchView& batch) -> Result<bool> {
    auto whole = map_batch(batch, scratch);
    if (whole && *whole) map_end_ = batch.last_offset() + 1;
    return whole;
  });
  if (!built) return built;
  if (map_end_ == first_dirty_) {
    return fail(ErrorKind::kTooLarge, fmt::format("{}: the batch at offset {} has more keys than the buffer for them "
                                                  "holds (log.cleaner.dedupe.buffer.size)",
                                                  log_->dir(), first_dirty_));
  }
  filter_ = std::make_unique<BatchFilter>(*map_, FilterRules{.map_end = map_end_,
                                                             .now_ms = options_.now_ms,
                                                             .delete_retention_ms = options_.delete_retention_ms,
                                                             .producers = std::move(options_.producers)});
  return {};
}

// False: the map is full. What it has taken of the batch does no harm: the records that it names all stay.
Result<bool> Compaction::map_batch(const protocol::BatchView& batch, protocol::ByteBuffer& scratch) {
  if (batch.is_control()) return true;
  const auto records = protocol::uncompressed_records(batch, kMaxDecompressedBytes, scratch);
  if (!records) return std::unexpected(records.error());
  protocol::RecordReader reader(batch, *records);
  protocol::RecordView record;
  while (true) {
    const auto more = reader.next(record);
    if (!more) return std::unexpected(more.error());
    if (!*more) return true;
    if (record.key && record.offset >= first_dirty_ && !map_->put(*record.key, record.offset)) return false;
  }
}

// Cleaner.groupSegmentsBySize: neighbours that fit into one segment as they are.
Compaction::Segments Compaction::next_group() {
  Segments group;
  std::uint64_t bytes = 0;
  for (; next_segment_ < segments_.size(); ++next_segment_) {
    const SegmentSummary& next = segments_[next_segment_]->summary;
    if (next.base_offset >= map_end_) break;
    bytes += next.covered_bytes;
    if (!group.empty() && (group.size() == kMostMerged || bytes > options_.segment_bytes ||
                           next.end_offset - 1 - group.front()->summary.base_offset > kMost)) {
      break;
    }
    group.push_back(segments_[next_segment_]);
  }
  return group;
}

Result<std::optional<Replacement>> Compaction::write_next() {
  if (map_ == nullptr) {
    if (auto built = build_map(); !built) return std::unexpected(built.error());
  }
  while (true) {
    const Segments group = next_group();
    if (group.empty()) return std::nullopt;
    const std::int64_t base_offset = group.front()->summary.base_offset;
    Replacement replacement{
        .sources = group,
        .temporary_path = segment_path(log_->dir(), base_offset) + std::string(kTemporarySuffix),
        .file = nullptr,
        .index = std::make_shared<SparseIndex>(base_offset),
    };
    const auto changed = write_group(group, replacement);
    if (changed && *changed) return replacement;
    remove_leftover(*fs_, replacement.temporary_path);
    if (!changed) return std::unexpected(changed.error());
  }
}

// False: the file would be what the segment is already.
Result<bool> Compaction::write_group(const Segments& group, Replacement& replacement) {
  auto file = fs_->open(replacement.temporary_path, OpenMode::kCreate);
  if (!file) return std::unexpected(file.error());
  replacement.file = std::move(*file);
  SparseIndex& index = *replacement.index;
  protocol::ByteBuffer out;
  std::uint64_t position = 0;
  bool changed = group.size() > 1;
  const auto flush = [&]() -> Result<void> {
    if (auto written = replacement.file->write_at(position, out.view()); !written) return written;
    const bool is_sync_due = position / kSyncBytes != (position + out.size()) / kSyncBytes;
    position += out.size();
    out.clear();
    return is_sync_due ? replacement.file->sync_data() : Result<void>();
  };
  for (const auto& segment : group) {
    const SegmentSummary& source = segment->summary;
    const auto copied =
        for_each_batch(source.base_offset, source.end_offset, [&](const protocol::BatchView& batch) -> Result<bool> {
          const std::size_t before = out.size();
          const bool is_last = batch.last_offset() + 1 == source.end_offset;
          if (auto done = filter_->filter(batch, is_last, out); !done) return std::unexpected(done.error());
          const auto left = out.view().subspan(before);
          changed = changed || !std::ranges::equal(left, batch.bytes());
          if (left.empty()) return true;
          index.add(left.size(), batch.last_offset() + 1, protocol::BatchHeader(left.data()).max_timestamp());
          if (out.size() < kWriteBytes) return true;
          if (auto flushed = flush(); !flushed) return std::unexpected(flushed.error());
          return true;
        });
    if (!copied) return std::unexpected(copied.error());
  }
  if (auto flushed = flush(); !flushed) return std::unexpected(flushed.error());
  if (!changed) return false;
  // Each rewritten batch may have grown a little, by the codec or by times that are further from the horizon.
  if (position > static_cast<std::uint64_t>(kMost)) {
    return fail(ErrorKind::kTooLarge, fmt::format("{} would have {} bytes", replacement.temporary_path, position));
  }
  replacement.rests_on = filter_->rests_on();
  if (auto synced = replacement.file->sync(); !synced) return std::unexpected(synced.error());
  return true;
}

Result<bool> compact(Fs& fs, const std::shared_ptr<Log>& log, CompactionOptions options, const OnWriter& on_writer) {
  auto planned = Compaction::plan(fs, log, std::move(options));
  if (!planned) return std::unexpected(std::move(planned.error()));
  if (!*planned) return false;
  Compaction& compaction = **planned;
  const auto compacted = [&]() -> Result<void> {
    while (true) {
      auto next = compaction.write_next();
      if (!next) return std::unexpected(std::move(next.error()));
      if (!*next) break;
      const std::string temporary_path = (**next).temporary_path;
      const auto replaced =
          on_writer([log, made = std::move(**next)]() mutable { return log->replace(std::move(made)); });
      if (!replaced) {
        remove_leftover(fs, temporary_path);
        return replaced;
      }
    }
    return on_writer([log, end = compaction.end_offset()] { return log->set_cleaned_offset(end); });
  }();
  if (!compacted && compacted.error().kind != ErrorKind::kNotFound) return std::unexpected(compacted.error());
  return compacted.has_value();
}

}  // namespace cohort::storage
