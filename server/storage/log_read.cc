// The readers' side of a log: any thread, while the writer appends, seals and deletes.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "protocol/batch/record_batch.h"
#include "protocol/wire/response_buffer.h"
#include "server/storage/log.h"
#include "server/storage/log_views.h"

namespace cohort::storage {
namespace {

// What is smaller is read: that costs less than sending it on its own.
constexpr std::uint64_t kRegionFrom = protocol::ResponseBuffer::kAttachFrom;

// Bytes of the file from `position` on, in a buffer that the answer may share.
struct Chunk {
  std::shared_ptr<std::byte[]> buffer;
  std::uint64_t position = 0;
  std::size_t size = 0;

  std::span<const std::byte> from(std::uint64_t file_position) const {
    const std::uint64_t skipped = file_position - position;
    if (skipped >= size) return {};
    return {buffer.get() + skipped, static_cast<std::size_t>(size - skipped)};
  }
};

Result<Chunk> load(const File& file, std::uint64_t position, std::uint64_t size) {
  Chunk chunk{std::make_shared_for_overwrite<std::byte[]>(size), position, 0};
  const auto read = file.read_at(position, {chunk.buffer.get(), static_cast<std::size_t>(size)});
  if (!read) return std::unexpected(read.error());
  chunk.size = *read;
  return chunk;
}

// The header of the batch at `position` of the segment, which must continue its chain at this offset. The segment's own
// end bounds what it may say: a damaged last offset must not pass for a batch beyond the reader's limit.
Result<protocol::BatchHeader> expect_batch(std::span<const std::byte> bytes, const SegmentSummary& segment, Chain chain,
                                           std::uint64_t position, std::int64_t offset) {
  auto header = protocol::parse_batch_header(bytes, kMaxBatchBytes);
  if (!header) return header;
  if (!continues(chain, offset, header->base_offset())) {
    return fail(ErrorKind::kMalformed,
                fmt::format("a batch begins with offset {}, expected {}", header->base_offset(), offset));
  }
  const std::uint64_t left = segment.covered_bytes - position;
  const std::size_t size = header->size_in_bytes();
  const std::int64_t end = header->last_offset() + 1;
  if (size > left || (size == left) != (end == segment.end_offset) || end > segment.end_offset) {
    return fail(ErrorKind::kMalformed, fmt::format("a batch of {} bytes goes on to offset {}, expected {} bytes to {}",
                                                   size, end, left, segment.end_offset));
  }
  return header;
}

}  // namespace

std::unexpected<Error> Log::damaged(const View& view, std::uint64_t position, Error why) const {
  if (why.kind == ErrorKind::kIo) return std::unexpected(std::move(why));
  return fail(ErrorKind::kCorrupt, fmt::format("{} is damaged at position {}: {}",
                                               segment_path(dir_, view.summary.base_offset), position, why.message));
}

Log::View Log::view_of(const std::shared_ptr<Segment>& segment) const {
  return View{segment, segment->summary, segment->index != nullptr, segment->file, segment->index};
}

std::optional<Log::View> Log::find_view(std::int64_t offset) const {
  const std::lock_guard lock(mutex_);
  const auto above =
      std::ranges::upper_bound(segments_, offset, {}, [](const auto& segment) { return segment->summary.base_offset; });
  if (above == segments_.begin()) return std::nullopt;
  const auto& segment = *std::prev(above);
  if (offset >= segment->summary.end_offset) return std::nullopt;
  return view_of(segment);
}

std::vector<Log::View> Log::all_views() const {
  const std::lock_guard lock(mutex_);
  std::vector<View> views;
  views.reserve(segments_.size());
  for (const auto& segment : segments_) views.push_back(view_of(segment));
  return views;
}

Result<void> Log::open_view(View& view) const {
  if (view.file != nullptr) return {};
  auto open = cache_.find(view.segment.get());
  if (open == nullptr) {
    auto opened = open_segment(fs_, dir_, view.summary, view.segment->chain);
    // Looked at after the files were opened: the path may belong to a later topic of the same name by now.
    if (removed_.load(std::memory_order_acquire)) {
      return fail(ErrorKind::kNotFound, fmt::format("{} was removed", dir_));
    }
    if (!opened) return std::unexpected(std::move(opened.error()));
    open = std::move(*opened);
    cache_.put(view.segment, open);
  }
  view.file = open->file;
  view.index = open->index;
  return {};
}

bool Log::is_outdated(const View& view) const {
  const std::lock_guard lock(mutex_);
  const auto now = std::ranges::find(segments_, view.summary.base_offset,
                                     [](const auto& segment) { return segment->summary.base_offset; });
  if (now == segments_.end() || (*now)->summary.covered_bytes < view.summary.covered_bytes) return true;
  return !view.is_live && *now != view.segment;  // compacted
}

Result<ReadResult> Log::read(std::int64_t from_offset, std::size_t max_bytes, std::int64_t limit_offset,
                             bool at_least_one_batch, ReadForm form) const {
  for (int attempt = 1;; ++attempt) {
    const std::int64_t start = start_offset();
    const std::int64_t end = end_offset();
    if (from_offset < start || from_offset > end) {
      return fail(ErrorKind::kNotFound,
                  fmt::format("Offset {} is outside of {}, which holds {} to {}", from_offset, dir_, start, end));
    }
    if (from_offset >= std::min(limit_offset, end)) return ReadResult{.next_offset = from_offset};
    auto view = find_view(from_offset);
    if (!view) {
      if (attempt < kAttempts) continue;
      return fail(ErrorKind::kNotFound, fmt::format("Offset {} of {} was just deleted", from_offset, dir_));
    }
    Result<ReadResult> result;
    if (auto opened = open_view(*view); !opened)
      result = std::unexpected(std::move(opened.error()));
    else
      result = read_segment(*view, from_offset, max_bytes, limit_offset, at_least_one_batch, form);
    if (result || attempt == kAttempts || !is_outdated(*view)) return result;
  }
}

Result<ReadResult> Log::read_segment(const View& view, std::int64_t from_offset, std::size_t max_bytes,
                                     std::int64_t limit_offset, bool at_least_one_batch, ReadForm form) const {
  const auto floor = with_index(view, [&](const SparseIndex& index) { return index.floor_by_offset(from_offset); });
  const std::uint64_t end = view.summary.covered_bytes;
  std::uint64_t position = floor.position;
  std::int64_t offset = floor.offset;
  const Chain chain = view.segment->chain;
  const std::uint64_t wanted = std::min<std::uint64_t>(max_bytes, end);
  const bool in_place = form == ReadForm::kRegion && view.file->descriptor() >= 0 && wanted >= kRegionFrom &&
                        end - position >= kRegionFrom + SparseIndex::kIntervalBytes;

  // 1. One read: what to walk over (an interval of the index) and what to return.
  const std::uint64_t load_size = (in_place ? 0 : wanted) + SparseIndex::kIntervalBytes;
  auto chunk = load(*view.file, position, std::min(end - position, load_size));
  if (!chunk) return std::unexpected(std::move(chunk.error()));
  const auto reload = [&](std::uint64_t size) -> Result<void> {
    chunk = load(*view.file, position, std::min(end - position, size));
    if (!chunk) return std::unexpected(chunk.error());
    return {};
  };

  // 2. Walk to the batch that holds from_offset.
  std::size_t first_size = 0;
  while (true) {
    if (chunk->from(position).size() < protocol::kBatchHeaderSize && position < end) {
      if (auto loaded = reload(load_size); !loaded) return std::unexpected(loaded.error());
    }
    const auto header = expect_batch(chunk->from(position), view.summary, chain, position, offset);
    if (!header) return damaged(view, position, header.error());
    first_size = header->size_in_bytes();
    if (header->last_offset() >= from_offset) {
      offset = header->base_offset();
      break;
    }
    position += first_size;
    offset = header->last_offset() + 1;
  }
  ReadResult result{.first_offset = offset,
                    .next_offset = from_offset,
                    .segment_base = view.summary.base_offset,
                    .position = position};
  if (first_size > max_bytes && !at_least_one_batch) return result;
  if (in_place) return locate(view, std::move(result), max_bytes, limit_offset, at_least_one_batch);
  if (chunk->from(position).size() < first_size) {
    if (auto loaded = reload(std::max<std::uint64_t>(wanted, first_size)); !loaded)
      return std::unexpected(loaded.error());
    if (chunk->from(position).size() < first_size) {
      const std::string why = fmt::format("the file ends inside a batch of {} bytes", first_size);
      return damaged(view, position, Error{ErrorKind::kCorrupt, why});
    }
  }

  // 3. Take whole batches while they fit, below the limit.
  const auto bytes = chunk->from(position);
  std::size_t taken = 0;
  while (bytes.size() - taken >= protocol::kBatchHeaderSize) {
    const auto header = expect_batch(bytes.subspan(taken), view.summary, chain, position + taken, offset);
    if (!header) return damaged(view, position + taken, header.error());
    const std::size_t size = header->size_in_bytes();
    if (header->last_offset() >= limit_offset || taken + size > bytes.size()) break;
    if (taken + size > max_bytes && (taken > 0 || !at_least_one_batch)) break;
    taken += size;
    offset = header->last_offset() + 1;
  }
  if (taken == 0) return result;
  result.batches = protocol::Bytes::slice(std::move(chunk->buffer), bytes.first(taken));
  result.next_offset = offset;
  return result;
}

// The batches from found.position on, in place: where they end is found from the index and the headers behind its last
// entry; those before it stay unread.
Result<ReadResult> Log::locate(const View& view, ReadResult found, std::size_t max_bytes, std::int64_t limit_offset,
                               bool at_least_one_batch) const {
  const std::uint64_t begin = found.position;
  const std::uint64_t end = view.summary.covered_bytes;
  const std::uint64_t limit = begin + std::min<std::uint64_t>(max_bytes, end - begin);
  const auto known =
      with_index(view, [&](const SparseIndex& index) { return index.floor_by_end(limit, limit_offset); });
  std::uint64_t position = std::max<std::uint64_t>(known.position, begin);
  std::int64_t offset = known.position > begin ? known.offset : found.first_offset;

  // 1. Walk on while whole batches fit.
  Chunk chunk;
  while (position < end) {
    if (chunk.from(position).size() < protocol::kBatchHeaderSize) {
      auto loaded = load(*view.file, position, std::min(end - position, SparseIndex::kIntervalBytes));
      if (!loaded) return std::unexpected(std::move(loaded.error()));
      chunk = *std::move(loaded);
    }
    const auto header = expect_batch(chunk.from(position), view.summary, view.segment->chain, position, offset);
    if (!header) return damaged(view, position, header.error());
    const std::uint64_t next = position + header->size_in_bytes();
    const bool fits = next <= limit || (at_least_one_batch && position == begin);
    if (header->last_offset() >= limit_offset || !fits) break;
    position = next;
    offset = header->last_offset() + 1;
  }
  if (position == begin) return found;

  // 2. Few bytes after all are read.
  found.next_offset = offset;
  const auto size = static_cast<std::size_t>(position - begin);
  if (size >= kRegionFrom) {
    found.batches = protocol::FileRegion{view.file, view.file->descriptor(), begin, size};
    return found;
  }
  auto loaded = load(*view.file, begin, size);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  if (loaded->size < size) {
    return damaged(view, begin, Error{ErrorKind::kCorrupt, fmt::format("the file ends inside of {} bytes", size)});
  }
  const auto bytes = loaded->from(begin);
  found.batches = protocol::Bytes::slice(std::move(loaded->buffer), bytes);
  return found;
}

}  // namespace cohort::storage
