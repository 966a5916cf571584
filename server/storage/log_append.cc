// The writer's side of a log: append, sync, roll, and what follows when the disk refuses.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "protocol/base/log.h"
#include "protocol/batch/record_batch.h"
#include "server/storage/batch_scanner.h"
#include "server/storage/log.h"

namespace cohort::storage {
namespace {

constexpr std::int64_t kMaxRelativeOffset = std::numeric_limits<std::int32_t>::max();  // Kafka's readers rely on it

}  // namespace

Result<void> Log::writable() const {
  if (removed_.load(std::memory_order_acquire)) {
    return fail(ErrorKind::kNotFound, fmt::format("{} was removed", dir_));
  }
  if (closed_) return fail(ErrorKind::kInvalid, fmt::format("{} is closed", dir_));
  if (needs_seal_) {
    return fail(ErrorKind::kIo, fmt::format("{} takes no writes: a sync failed and the log was not sealed since", dir_),
                EIO);
  }
  return {};
}

Result<std::int64_t> Log::check_batches(std::span<const std::byte> batches) const {
  std::int64_t expected = end_offset();
  if (batches.empty()) return fail(ErrorKind::kMalformed, "No batch to append");
  const std::size_t bytes = batches.size();
  while (!batches.empty()) {
    const auto header = protocol::parse_batch_header(batches, kMaxBatchBytes);
    if (!header) return std::unexpected(header.error());
    if (header->size_in_bytes() > batches.size()) return fail(ErrorKind::kMalformed, "A batch to append is not whole");
    if (header->base_offset() != expected) {
      return fail(ErrorKind::kMalformed, fmt::format("A batch to append to {} has base offset {}, expected {}", dir_,
                                                     header->base_offset(), expected));
    }
    if (options_.one_batch_at_a_time && header->size_in_bytes() != bytes) {
      return fail(ErrorKind::kTooLarge, fmt::format("More than one batch in one append to {}", dir_));
    }
    expected = header->last_offset() + 1;
    batches = batches.subspan(header->size_in_bytes());
  }
  if (expected > kMaxOffset) return fail(ErrorKind::kTooLarge, fmt::format("{} is at its last offset", dir_));
  return expected;
}

bool Log::must_sync_before(std::uint64_t bytes) const {
  if (options_.durability != Durability::kSync) return false;
  const std::uint64_t unsynced = segments_.back()->summary.covered_bytes - durable_in_.covered_bytes;
  return unsynced > 0 && (options_.one_batch_at_a_time || unsynced + bytes > options_.max_unsynced_bytes);
}

// What has to happen before these bytes can be written: everything that can fail for another reason than theirs.
Result<void> Log::make_room(std::uint64_t bytes, std::int64_t new_end) {
  if (bytes > std::numeric_limits<std::int32_t>::max() || new_end - end_offset() > kMaxRelativeOffset ||
      (options_.durability == Durability::kSync && bytes > options_.max_unsynced_bytes)) {
    return fail(ErrorKind::kTooLarge, fmt::format("{} bytes in one append to {}", bytes, dir_));
  }
  const SegmentSummary last = segments_.back()->summary;
  if (must_roll_ || (last.covered_bytes > 0 && (last.covered_bytes + bytes > options_.segment_bytes ||
                                                new_end - last.base_offset > kMaxRelativeOffset))) {
    return roll();
  }
  if (must_sync_before(bytes)) {
    if (auto synced = sync(); !synced) return synced;
  }
  const std::uint64_t checked = checkpoint_.segment_base == last.base_offset ? checkpoint_.position : 0;
  if (last.covered_bytes - checked >= options_.checkpoint_bytes) {
    if (auto synced = sync(); !synced) return synced;
    return write_checkpoint(start_offset(), checkpoint_.window);
  }
  return {};
}

bool Log::append_only_writes(std::uint64_t bytes) const {
  const SegmentSummary last = segments_.back()->summary;
  const std::uint64_t checked = checkpoint_.segment_base == last.base_offset ? checkpoint_.position : 0;
  const bool rolls = must_roll_ || (last.covered_bytes > 0 && last.covered_bytes + bytes > options_.segment_bytes);
  return !rolls && !must_sync_before(bytes) && last.covered_bytes - checked < options_.checkpoint_bytes;
}

Result<void> Log::append(std::span<const std::byte> batches) {
  // 1. Refuse what is not ours to write.
  if (auto ready = writable(); !ready) return ready;
  const auto new_end = check_batches(batches);
  if (!new_end) return std::unexpected(new_end.error());
  if (auto ready = make_room(batches.size(), *new_end); !ready) return ready;

  // 2. Write behind the last batch. Readers do not look there yet.
  Segment& last = *segments_.back();
  if (auto written = last.file->write_at(last.summary.covered_bytes, batches); !written) {
    if (auto undone = undo_append(); !undone) {
      log::error("Log", "{}; the log takes no writes until it is sealed", undone.error().message);
    }
    return written;
  }

  // 3. Publish.
  if (last.summary.covered_bytes == 0) first_timestamp_ms_ = protocol::BatchHeader(batches.data()).max_timestamp();
  const std::lock_guard lock(mutex_);
  for (auto rest = batches; !rest.empty();) {
    const protocol::BatchHeader header(rest.data());
    last.index->add(header.size_in_bytes(), header.last_offset() + 1, header.max_timestamp());
    epochs_.add(header.partition_leader_epoch(), header.base_offset());
    rest = rest.subspan(header.size_in_bytes());
  }
  last.summary = last.index->summary();
  end_.store(*new_end, std::memory_order_release);
  return {};
}

// Cuts half-written bytes off again. Synced at once, so that a crash cannot bring them back among later batches.
Result<void> Log::undo_append() {
  Segment& last = *segments_.back();
  if (auto cut = last.file->truncate(last.summary.covered_bytes); !cut) {
    needs_seal_ = true;
    return cut;
  }
  return sync_active();
}

Result<void> Log::sync() {
  if (auto ready = writable(); !ready) return ready;
  if (durable_offset() == end_offset()) return {};
  return sync_active();
}

// A process that died before us may have made or renamed a file without syncing the folder: once after each open.
Result<void> Log::sync_folder_once() {
  if (is_folder_synced_) return {};
  if (auto synced = fs_.sync_dir(dir_); !synced) {
    needs_seal_ = true;
    return synced;
  }
  is_folder_synced_ = true;
  return {};
}

Result<void> Log::sync_active() {
  if (auto synced = sync_folder_once(); !synced) return synced;
  const Segment& last = *segments_.back();
  if (auto synced = last.file->sync_data(); !synced) {
    needs_seal_ = true;
    return synced;
  }
  durable_in_ = last.summary;
  durable_.store(last.summary.end_offset, std::memory_order_release);
  return {};
}

Result<void> Log::roll() {
  if (auto ready = writable(); !ready) return ready;
  if (segments_.back()->summary.covered_bytes == 0) return {};
  // The old segment is whole on the disk before the new one exists: damage in it is never taken for a torn tail.
  if (auto synced = sync(); !synced) return synced;
  if (auto written = write_index(fs_, dir_, *segments_.back()->index); !written) return written;
  if (auto started = start_segment(end_offset(), StartWith::kNothing); !started) return started;
  return write_checkpoint(start_offset(), checkpoint_.window);
}

// Made aside, synced and renamed: under its name a segment is whole, and a log always has a last one.
Result<void> Log::start_segment(std::int64_t base_offset, StartWith start_with) {
  const std::string path = segment_path(dir_, base_offset);
  const std::string made_as = path + std::string(kTemporarySuffix);
  auto file = fs_.open(made_as, OpenMode::kCreate);
  if (!file) return std::unexpected(std::move(file.error()));
  auto next = std::make_shared<Segment>();
  next->file = std::move(*file);
  next->index = std::make_shared<SparseIndex>(base_offset);
  std::int64_t first_timestamp_ms = -1;
  if (start_with == StartWith::kUnsynced) {
    const auto copied = copy_unsynced(*next);
    if (!copied) return std::unexpected(copied.error());
    first_timestamp_ms = *copied;
  }
  next->summary = next->index->summary();
  if (auto synced = next->file->sync(); !synced) return synced;
  must_roll_ = segments_.back()->summary.base_offset != base_offset;
  if (auto renamed = fs_.rename(made_as, path); !renamed) return renamed;
  // Before the first byte in it can be acknowledged, its name must survive a power loss.
  if (auto synced = fs_.sync_dir(dir_); !synced) return synced;
  must_roll_ = false;
  first_timestamp_ms_ = first_timestamp_ms;
  publish_segment(std::move(next));
  return {};
}

// Returns the largest timestamp of the first batch, as first_timestamp_ms().
Result<std::int64_t> Log::copy_unsynced(Segment& to) const {
  const Segment& last = *segments_.back();
  std::int64_t first_timestamp_ms = -1;
  BatchScanner scanner(*last.file, durable_in_.covered_bytes, last.summary.covered_bytes, durable_in_.end_offset,
                       last.chain, Check::kChecksums);
  while (true) {
    const std::uint64_t from = scanner.position();
    const auto batch = scanner.next();
    if (!batch) {
      return fail(batch.error().kind,
                  fmt::format("{} from position {} on cannot be read back: {}",
                              segment_path(dir_, last.summary.base_offset), from, batch.error().message));
    }
    if (!*batch) return first_timestamp_ms;
    const std::uint64_t at = to.index->summary().covered_bytes;
    if (at == 0) first_timestamp_ms = (*batch)->max_timestamp();
    if (auto written = to.file->write_at(at, scanner.bytes()); !written) return std::unexpected(written.error());
    to.index->add((*batch)->size_in_bytes(), scanner.offset(), (*batch)->max_timestamp());
  }
}

void Log::publish_segment(std::shared_ptr<Segment> next) {
  const std::shared_ptr<SparseIndex> durable_index = index_of_durable();
  const SegmentSummary durable = std::exchange(durable_in_, next->summary);
  const std::lock_guard lock(mutex_);
  durable_.store(next->summary.end_offset, std::memory_order_release);
  const Segment& last = *segments_.back();
  if (last.summary.base_offset == next->summary.base_offset) {
    segments_.back() = std::move(next);
    return;
  }
  // A closed segment is another object, so that readers can look at it without the mutex; those at the tail find it
  // open.
  auto closed = std::make_shared<Segment>();
  closed->summary = durable;
  closed->chain = last.chain;
  cache_.put(closed, std::make_shared<const OpenSegment>(last.file, durable_index));
  segments_.back() = std::move(closed);
  segments_.push_back(std::move(next));
}

// Of the last segment, as far as it is durable.
std::shared_ptr<SparseIndex> Log::index_of_durable() const {
  const Segment& last = *segments_.back();
  if (last.summary == durable_in_) return last.index;
  auto index = std::make_shared<SparseIndex>(*last.index);
  index->cut(durable_in_);
  return index;
}

// Nobody may read on where bytes count as lost.
void Log::cut_unsynced() {
  Segment& last = *segments_.back();
  const std::uint64_t lost = last.summary.covered_bytes - durable_in_.covered_bytes;
  {
    const std::lock_guard lock(mutex_);
    last.index->cut(durable_in_);
    last.summary = durable_in_;
    epochs_.cut_from(durable_in_.end_offset);
    end_.store(durable_in_.end_offset, std::memory_order_release);
  }
  if (lost > 0) log::error("Log", "{}: {} bytes above offset {} are lost", dir_, lost, durable_in_.end_offset);

  // If the disk refuses this, too, the next segment's name still says where this one ends.
  auto cut = last.file->truncate(durable_in_.covered_bytes);
  if (cut) cut = last.file->sync_data();
  if (!cut) log::warn("Log", "{}", cut.error().message);
}

Result<void> Log::seal() {
  if (!needs_seal_) return writable();
  if (removed_.load(std::memory_order_acquire) || closed_) return writable();
  const bool keeps_unsynced = options_.durability == Durability::kOs;
  if (!keeps_unsynced) cut_unsynced();
  const auto bytes = segments_.back()->summary.covered_bytes - durable_in_.covered_bytes;

  // A new file in any case: the kernel may have dropped bytes of the old one and call it clean.
  if (durable_in_.covered_bytes > 0) {
    if (auto written = write_index(fs_, dir_, *index_of_durable()); !written) return written;
  }
  const auto started =
      start_segment(durable_in_.end_offset, keeps_unsynced ? StartWith::kUnsynced : StartWith::kNothing);
  if (!started) return started;
  if (bytes > 0) log::warn("Log", "{}: {} bytes were written anew up to offset {}", dir_, bytes, end_offset());
  needs_seal_ = false;
  return write_checkpoint(start_offset(), checkpoint_.window);
}

}  // namespace cohort::storage
