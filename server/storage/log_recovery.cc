#include "server/storage/log_recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "protocol/base/log.h"

namespace cohort::storage {
namespace {

constexpr std::size_t kMaxCheckpointBytes = 64 * 1024;  // nearly all of it leader epochs
constexpr std::int64_t kNoStop = std::numeric_limits<std::int64_t>::max();

// The summary from an index file; nullopt when there is none that can be believed.
std::optional<SegmentSummary> read_summary(Fs& fs, const std::string& path) {
  const auto file = fs.open(path, OpenMode::kRead);
  if (!file) return std::nullopt;
  std::array<std::byte, SparseIndex::kSummaryBytes> bytes{};
  const auto read = (*file)->read_at(0, bytes);
  if (!read) return std::nullopt;
  const auto summary = SparseIndex::parse_summary(std::span(bytes).first(*read));
  if (!summary) return std::nullopt;
  return *summary;
}

}  // namespace

Result<std::shared_ptr<Log>> Log::open(Fs& fs, SegmentCache& cache, std::string dir, const LogOptions& options) {
  std::shared_ptr<Log> log(new Log(fs, cache, std::move(dir), options));
  if (auto recovered = Recovery(*log).run(); !recovered) return std::unexpected(std::move(recovered.error()));
  return log;
}

Result<void> Log::Recovery::run() {
  if (auto examined = examine(); !examined) return examined;
  return settle();
}

Result<void> Log::Recovery::examine() {
  if (auto done = list_files(); !done) return done;
  if (auto done = read_checkpoint(); !done) return done;
  if (auto done = choose_segments(); !done) return done;
  for (std::size_t i = 0; i + 1 < segments_.size(); ++i) {
    if (auto done = examine_closed(segments_[i], segments_[i + 1].base_offset); !done) return done;
  }
  Found& last = segments_.back();
  if (auto done = examine_last(last); !done) return done;
  const std::int64_t promised = std::max(checkpoint_.recovery_offset, checkpoint_.start_offset);
  if (last.summary.end_offset < promised) {
    return damaged(
        last, last.summary.covered_bytes,
        fmt::format("the log ends at offset {}, but all below {} had been synced", last.summary.end_offset, promised));
  }
  return {};
}

std::unexpected<Error> Log::Recovery::damaged(const Found& found, std::uint64_t position, std::string_view why) const {
  return fail(ErrorKind::kCorrupt, fmt::format("{} is damaged at position {}: {}",
                                               segment_path(log_.dir_, found.base_offset), position, why));
}

// 1. What lies in the folder.
Result<void> Log::Recovery::list_files() {
  const auto entries = log_.fs_.list(log_.dir_);
  if (!entries) return std::unexpected(entries.error());
  std::vector<std::int64_t> indexes;
  for (const DirEntry& entry : *entries) {
    if (const auto base = parse_file_name(entry.name, kSegmentSuffix); base && !entry.is_dir) {
      bases_.push_back(*base);
    } else if (const auto index = parse_file_name(entry.name, kIndexSuffix); index && !entry.is_dir) {
      indexes.push_back(*index);
    } else if (entry.name.ends_with(kTemporarySuffix) && !entry.is_dir) {
      leftovers_.push_back(fmt::format("{}/{}", log_.dir_, entry.name));
    } else if (entry.name != kCheckpointName && entry.name != kPartitionMetadataName &&
               !entry.name.ends_with(kProducersSuffix)) {
      log::warn("Log", "{}/{} is not a file of a log and is left alone", log_.dir_, entry.name);
    }
  }
  for (const std::int64_t index : indexes) {
    if (!std::ranges::binary_search(bases_, index)) leftovers_.push_back(index_path(log_.dir_, index));
  }
  return {};
}

// 2. What was promised. A log's folder appears with its checkpoint in it, so a missing one was lost later.
Result<void> Log::Recovery::read_checkpoint() {
  const std::string path = fmt::format("{}/{}", log_.dir_, kCheckpointName);
  const auto text = read_whole_file(log_.fs_, path, kMaxCheckpointBytes);
  if (!text && text.error().kind == ErrorKind::kIo) return std::unexpected(text.error());
  if (!text) return fail(ErrorKind::kCorrupt, fmt::format("{} cannot be used: {}", path, text.error().message));
  auto checkpoint = parse_checkpoint(*text);
  if (!checkpoint) return fail(checkpoint.error().kind, fmt::format("{} {}", path, checkpoint.error().message));
  checkpoint_ = *checkpoint;
  log_.epochs_ = checkpoint_.epochs;
  if (checkpoint_.identity != log_.options_.identity) {
    return fail(ErrorKind::kCorrupt, fmt::format("{} is the checkpoint of log {}, expected {}", path,
                                                 checkpoint_.identity, log_.options_.identity));
  }
  if (!std::ranges::binary_search(bases_, checkpoint_.segment_base)) {
    return fail(ErrorKind::kCorrupt,
                fmt::format("{} is missing: {} bytes of it had been synced",
                            segment_path(log_.dir_, checkpoint_.segment_base), checkpoint_.position));
  }
  return {};
}

// 3. The segments that hold the log: those wholly below its start were about to be removed.
Result<void> Log::Recovery::choose_segments() {
  const auto above = std::ranges::upper_bound(bases_, checkpoint_.start_offset);
  if (above == bases_.begin()) {
    return fail(ErrorKind::kCorrupt, fmt::format("{} begins with the segment of offset {}, expected one that holds {}",
                                                 log_.dir_, bases_.front(), checkpoint_.start_offset));
  }
  const auto first = std::prev(above);
  below_start_.assign(bases_.begin(), first);
  for (auto base = first; base != bases_.end(); ++base) segments_.emplace_back().base_offset = *base;
  return {};
}

std::uint64_t Log::Recovery::recovery_position(const Found& found) const {
  return found.base_offset == checkpoint_.segment_base ? checkpoint_.position : 0;
}

Result<void> Log::Recovery::open_file(Found& found) {
  auto file = log_.fs_.open(segment_path(log_.dir_, found.base_offset), OpenMode::kReadWrite);
  if (!file) return std::unexpected(std::move(file.error()));
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  found.file = std::move(*file);
  found.file_bytes = *size;
  if (found.file_bytes < recovery_position(found)) {
    return damaged(found, found.file_bytes,
                   fmt::format("the file ends, but {} bytes had been synced", recovery_position(found)));
  }
  return {};
}

// 4. A segment with another one behind it was synced whole before that one was made. It ends where that one begins;
// bytes beyond are what a failed sync left (see Log::seal).
Result<void> Log::Recovery::examine_closed(Found& found, std::int64_t next_base) {
  if (auto opened = open_file(found); !opened) return opened;
  if (next_base <= checkpoint_.rising_offset) found.chain = Chain::kRising;
  const auto stored = read_summary(log_.fs_, index_path(log_.dir_, found.base_offset));
  // A compacted file and its index are exchanged one after the other: one of another length is another file's.
  const bool is_known = stored && stored->base_offset == found.base_offset && stored->end_offset == next_base &&
                        (found.chain == Chain::kExact || stored->covered_bytes == found.file_bytes);
  if (is_known && found.file_bytes < stored->covered_bytes) {
    return damaged(found, found.file_bytes,
                   fmt::format("the file ends, but {} bytes had been synced", stored->covered_bytes));
  }
  if (is_known && !log_.options_.verify_all_on_open) {
    found.summary = *stored;
    if (auto walked = walk_epochs(found, found.summary.covered_bytes); !walked) return walked;
  } else {
    found.index = SparseIndex(found.base_offset);
    std::string why;
    const auto sound = scan(found, next_base, why);
    if (!sound) return std::unexpected(sound.error());
    found.summary = found.index.summary();
    if (*sound && found.summary.end_offset != next_base) {
      why =
          fmt::format("the segment ends at offset {}, the next one begins at {}", found.summary.end_offset, next_base);
    }
    if (!why.empty()) return damaged(found, found.summary.covered_bytes, why);
    found.write_index = !is_known;
  }
  found.durable = found.summary;
  if (found.summary.covered_bytes < recovery_position(found)) {
    return damaged(found, found.summary.covered_bytes,
                   fmt::format("the segment ends, but {} bytes of it had been synced", recovery_position(found)));
  }
  found.file.reset();
  return {};
}

// 5. The last segment may end in what a crash tore.
Result<void> Log::Recovery::examine_last(Found& found) {
  if (auto opened = open_file(found); !opened) return opened;
  std::uint64_t promised = recovery_position(found);
  std::int64_t promised_offset = promised > 0 ? checkpoint_.recovery_offset : found.base_offset;
  found.index = SparseIndex(found.base_offset);
  // An index covers only what was synced before it was written, so it may know a later recovery point.
  const std::string path = index_path(log_.dir_, found.base_offset);
  bool has_index = promised == 0;
  if (const auto bytes = read_whole_file(log_.fs_, path, kMaxIndexBytes)) {
    auto index = SparseIndex::parse(std::as_bytes(std::span(*bytes)));
    if (index && index->summary().base_offset == found.base_offset && index->summary().covered_bytes >= promised) {
      has_index = true;
      promised = index->summary().covered_bytes;
      promised_offset = index->summary().end_offset;
      if (found.file_bytes < promised) {
        return damaged(found, found.file_bytes, fmt::format("the file ends, but {} bytes had been synced", promised));
      }
      if (!log_.options_.verify_all_on_open) {
        found.index = std::move(*index);
        if (auto walked = walk_epochs(found, promised); !walked) return walked;
      }
    }
  }
  if (!has_index) ++log_.recovery_.indexes_rebuilt;

  // Up to the recovery point everything must be there; above it the first bad batch ends the log.
  std::string why;
  auto sound = scan(found, promised_offset, why);
  if (!sound) return std::unexpected(sound.error());
  found.durable = found.index.summary();
  if (found.durable.covered_bytes != promised || found.durable.end_offset != promised_offset) {
    if (why.empty())
      why = fmt::format("offset {} is here, expected at position {}", found.durable.end_offset, promised);
    return damaged(found, found.durable.covered_bytes, why);
  }
  sound = scan(found, kNoStop, why);
  if (!sound) return std::unexpected(sound.error());
  found.summary = found.index.summary();
  return examine_rest(found, why);
}

// Is what follows the first bad batch no more than a crash can have left there?
Result<void> Log::Recovery::examine_rest(const Found& found, const std::string& why) {
  const std::uint64_t begin = found.summary.covered_bytes;
  const std::uint64_t rest = found.file_bytes - begin;
  const Window& window = checkpoint_.window;
  if (window.bytes > 0 && rest > window.bytes) {
    return damaged(
        found, begin,
        fmt::format("{} bytes follow, but never more than {} were written before a sync: {}", rest, window.bytes, why));
  }
  if (!window.one_batch || rest == 0) return {};
  std::vector<std::byte> bytes(static_cast<std::size_t>(rest));
  const auto read = found.file->read_at(begin, bytes);
  if (!read) return std::unexpected(read.error());
  const auto behind = find_batches_behind(std::span(bytes).first(*read), found.summary.end_offset);
  if (!behind) return {};
  return damaged(
      found, begin,
      fmt::format("sound batches follow at position {}, so this one had been synced: {}", begin + *behind, why));
}

Result<bool> Log::Recovery::scan(Found& found, std::int64_t stop_offset, std::string& why) {
  const SegmentSummary& done = found.index.summary();
  const std::uint64_t begin = done.covered_bytes;
  BatchScanner scanner(*found.file, begin, found.file_bytes, done.end_offset, found.chain, Check::kChecksums);
  while (scanner.offset() < stop_offset) {
    const auto batch = scanner.next();
    if (!batch && batch.error().kind == ErrorKind::kIo) return std::unexpected(batch.error());
    if (!batch) {
      why = batch.error().message;
      break;
    }
    if (!*batch) break;
    log_.epochs_.add((*batch)->partition_leader_epoch(), (*batch)->base_offset());
    found.index.add((*batch)->size_in_bytes(), scanner.offset(), (*batch)->max_timestamp());
    ++log_.recovery_.batches_scanned;
  }
  log_.recovery_.bytes_scanned += done.covered_bytes - begin;
  return why.empty();
}

// 6. Make it so. The order matters when a crash comes in between: cuts first, then what says that they are durable,
// then what only frees space.
Result<void> Log::Recovery::settle() {
  for (Found& found : segments_) {
    if (auto cut = cut_tail(found); !cut) return cut;
    if (!found.write_index) continue;
    ++log_.recovery_.indexes_rebuilt;
    if (auto written = write_index(log_.fs_, log_.dir_, found.index); !written) {
      if (!is_disk_full(written.error())) return written;
      log::warn("Log", "{}; the next start reads the segment again", written.error().message);
    }
  }
  publish();
  const Window window = window_of(log_.options_);
  const bool loses_recovery_point = checkpoint_.segment_base < segments_.front().base_offset;
  if (window.bytes > 0 || window != checkpoint_.window || log_.recovery_.bytes_cut > 0 || loses_recovery_point) {
    if (auto synced = log_.sync(); !synced) return synced;
  }
  if (log_.durable_offset() == log_.end_offset() && !log_.checkpoint_is_current()) {
    if (auto written = log_.write_checkpoint(log_.start_offset(), window); !written) {
      // On a full disk what is there can still be read: the older recovery point stays true, it only promises less.
      const bool is_needed = window != checkpoint_.window || loses_recovery_point;
      if (!is_disk_full(written.error()) || is_needed) return written;
      log::warn("Log", "{}; the older recovery point stays in force", written.error().message);
    }
  }
  for (const std::int64_t base : below_start_) {
    remove_segment_files(log_.fs_, log_.dir_, base);
    ++log_.recovery_.files_removed;
  }
  for (const std::string& path : leftovers_) {
    remove_leftover(log_.fs_, path);
    ++log_.recovery_.files_removed;
  }
  return {};
}

Result<void> Log::Recovery::cut_tail(Found& found) {
  const std::uint64_t rest = found.file_bytes - found.summary.covered_bytes;
  if (rest == 0) return {};
  const bool was_open = found.file != nullptr;
  if (!was_open) {
    if (auto opened = open_file(found); !opened) return opened;
  }
  if (auto cut = found.file->truncate(found.summary.covered_bytes); !cut) return cut;
  if (auto synced = found.file->sync_data(); !synced) return synced;
  if (!was_open) found.file.reset();
  log_.recovery_.bytes_cut += rest;
  log::warn("Log", "{}: {} bytes from position {} on are no whole batch and were cut off: the log ends at offset {}",
            segment_path(log_.dir_, found.base_offset), rest, found.summary.covered_bytes, found.summary.end_offset);
  return {};
}

void Log::Recovery::publish() {
  for (const Found& found : segments_) {
    auto segment = std::make_shared<Segment>();
    segment->summary = found.summary;
    segment->chain = found.chain;
    log_.segments_.push_back(std::move(segment));
  }
  Found& last = segments_.back();
  std::array<std::byte, protocol::kBatchHeaderSize> first{};
  if (last.summary.covered_bytes > 0 && last.file->read_at(0, first) == first.size()) {
    log_.first_timestamp_ms_ = protocol::BatchHeader(first.data()).max_timestamp();
  }
  Segment& live = *log_.segments_.back();
  live.file = std::move(last.file);
  live.index = std::make_shared<SparseIndex>(std::move(last.index));
  log_.checkpoint_ = checkpoint_;
  log_.durable_in_ = last.durable;
  log_.cleaned_.store(checkpoint_.cleaned_offset, std::memory_order_release);
  log_.start_.store(checkpoint_.start_offset, std::memory_order_release);
  log_.durable_.store(last.durable.end_offset, std::memory_order_release);
  log_.end_.store(last.summary.end_offset, std::memory_order_release);
}

}  // namespace cohort::storage
