// Putting compacted segments in the place of what they were made from: the short part of a compaction, on the log's
// writer. What each step promises after a crash is in LOG_FORMAT.md.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/storage/log.h"

namespace cohort::storage {

// What every change of names below rests on. A folder that a process before us left unsynced is synced first, with the
// seal that its failure asks for; what fails after that concerns our own names only, none that an acknowledged record
// lies behind.
Result<void> Log::replaceable() {
  if (auto ready = writable(); !ready) return ready;
  if (!can_replace()) {
    return fail(ErrorKind::kIo,
                fmt::format("{} is not compacted until it is opened again: it is not known which of "
                            "its names are on the disk",
                            dir_),
                EIO);
  }
  return sync_folder_once();
}

// After a failure a later sync that succeeds proves nothing of what this one was for: a file may lose its name while
// the one that it was merged into has not got its own. The next start takes the folder as it finds it.
Result<void> Log::sync_names() {
  auto synced = fs_.sync_dir(dir_);
  if (!synced) stop_replacing();
  return synced;
}

void Log::stop_replacing() {
  log::error("Log", "{} is not compacted any more until the server is started again", dir_);
  can_replace_.store(false, std::memory_order_release);
}

Result<void> Log::replace(Replacement replacement) {
  if (auto ready = replaceable(); !ready) return ready;
  const auto& sources = replacement.sources;
  const auto found = std::ranges::search(segments_, sources);
  if (found.empty() || found.end() == segments_.end()) {
    return fail(ErrorKind::kNotFound, fmt::format("Segments of {} went while they were compacted", dir_));
  }
  const SegmentSummary summary = replacement.index->summary();
  CHECK(summary.base_offset == sources.front()->summary.base_offset &&
            summary.end_offset == sources.back()->summary.end_offset,
        "a compacted segment begins and ends where its sources do");
  if (auto durable = make_durable(replacement.rests_on); !durable) return durable;
  if (auto removed = remove_merged(); !removed) return removed;
  if (auto allowed = allow_gaps_below(summary.end_offset); !allowed) return allowed;

  // 1. Readers from now on read the new file by the handle that is open already; for those who look up the old segment
  // and open a file by its name, it may be the new one from the next step on: they fail and look again (is_outdated).
  auto made = std::make_shared<Segment>(summary, Chain::kRising, replacement.file, replacement.index);
  const auto first = static_cast<std::size_t>(found.begin() - segments_.begin());
  auto replaced = exchange_segments(first, sources.size(), {std::move(made)});

  // 2. The disk follows.
  if (auto removed = remove_index(summary.base_offset); !removed) {
    exchange_segments(first, 1, std::move(replaced));
    return removed;
  }
  if (auto renamed = fs_.rename(replacement.temporary_path, segment_path(dir_, summary.base_offset)); !renamed) {
    if (fs_.open(replacement.temporary_path, OpenMode::kRead)) {
      exchange_segments(first, 1, std::move(replaced));
      return renamed;
    }
    // The old file's name may be the new one's by now. Either is the log for a start; who reads goes on by the handle.
    stop_replacing();
    return renamed;
  }
  // Before the index of the new file appears and the names of merged segments go, its own name must be on the disk.
  if (auto synced = sync_names(); !synced) return synced;
  if (auto written = write_index(fs_, dir_, *replacement.index); !written) {
    log::warn("Log", "{}", written.error().message);  // built again by who needs it
  }

  // 3. From here on it is a closed segment like any other.
  auto closed = std::make_shared<Segment>(summary, Chain::kRising);
  cache_.put(closed, std::make_shared<const OpenSegment>(replacement.file, replacement.index));
  exchange_segments(first, 1, {std::move(closed)});
  for (const auto& segment : replaced) cache_.drop(segment.get());
  for (const auto& segment : std::span(replaced).subspan(1)) merged_.push_back(segment->summary.base_offset);
  return remove_merged();
}

// A log that goes on below where a batch was that the file does without would have neither.
Result<void> Log::make_durable(std::int64_t offset) {
  if (offset <= durable_offset()) return {};
  if (offset > end_offset()) {
    return fail(ErrorKind::kNotFound, fmt::format("{} has not got what its compaction rests on", dir_));
  }
  return sync();
}

// A start that finds some of them cuts the file that they went into where the first one begins; it has a batch that
// ends there. So they go one after the other, from the first one on: those that are left always reach to the next
// segment. And they are gone before the next compaction, which may drop that batch.
Result<void> Log::remove_merged() {
  while (!merged_.empty()) {
    for (const std::string& path : {segment_path(dir_, merged_.front()), index_path(dir_, merged_.front())}) {
      const auto removed = fs_.remove(path);
      if (!removed && removed.error().kind != ErrorKind::kNotFound) return removed;
    }
    if (auto synced = sync_names(); !synced) return synced;
    merged_.pop_front();
  }
  return {};
}

// A start must know that a segment may have gaps before it can find one that has.
Result<void> Log::allow_gaps_below(std::int64_t offset) {
  // The recovery point may still lie in a segment that is to be replaced, if a crash came between a roll and its
  // checkpoint.
  if (checkpoint_.segment_base != segments_.back()->summary.base_offset) {
    if (auto synced = sync(); !synced) return synced;
    if (auto written = write_checkpoint(start_offset(), checkpoint_.window); !written) return written;
  }
  if (checkpoint_.rising_offset >= offset) return {};
  Checkpoint next = checkpoint_;
  next.rising_offset = offset;
  return store_checkpoint(next);
}

// The old index goes first and for good: with the new file it would look like a file that has lost bytes. The new one
// comes last: with the old file it would cut what lies behind its end.
Result<void> Log::remove_index(std::int64_t base_offset) {
  const auto removed = fs_.remove(index_path(dir_, base_offset));
  if (!removed && removed.error().kind != ErrorKind::kNotFound) return removed;
  return sync_names();
}

std::vector<std::shared_ptr<Segment>> Log::exchange_segments(std::size_t first, std::size_t count,
                                                             std::vector<std::shared_ptr<Segment>> now) {
  const std::lock_guard lock(mutex_);
  const auto begin = segments_.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = begin + static_cast<std::ptrdiff_t>(count);
  std::vector<std::shared_ptr<Segment>> before(begin, end);
  segments_.insert(segments_.erase(begin, end), now.begin(), now.end());
  return before;
}

Result<void> Log::set_cleaned_offset(std::int64_t offset) {
  if (auto ready = replaceable(); !ready) return ready;
  if (offset <= cleaned_offset()) return {};
  if (auto allowed = allow_gaps_below(offset); !allowed) return allowed;
  Checkpoint next = checkpoint_;
  next.cleaned_offset = offset;
  if (auto stored = store_checkpoint(next); !stored) return stored;
  cleaned_.store(offset, std::memory_order_release);
  return {};
}

}  // namespace cohort::storage
