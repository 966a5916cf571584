#include "server/storage/segment.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "protocol/base/log.h"
#include "server/storage/checkpoint.h"

namespace cohort::storage {
namespace {

constexpr std::size_t kDigits = 20;

Result<SparseIndex> read_index(Fs& fs, const std::string& path) {
  const auto text = read_whole_file(fs, path, kMaxIndexBytes);
  if (!text) return std::unexpected(text.error());
  return SparseIndex::parse(std::as_bytes(std::span(*text)));
}

}  // namespace

std::string segment_path(std::string_view dir, std::int64_t base_offset) {
  return fmt::format("{}/{:020}{}", dir, base_offset, kSegmentSuffix);
}

std::string index_path(std::string_view dir, std::int64_t base_offset) {
  return fmt::format("{}/{:020}{}", dir, base_offset, kIndexSuffix);
}

std::optional<std::int64_t> parse_file_name(std::string_view name, std::string_view suffix) {
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, kDigits);
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::int64_t offset = 0;
  const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), offset);
  if (error != std::errc() || offset > kMaxOffset) return std::nullopt;
  return offset;
}

Result<std::shared_ptr<const OpenSegment>> open_segment(Fs& fs, std::string_view dir, const SegmentSummary& summary,
                                                        Chain chain) {
  const std::string path = segment_path(dir, summary.base_offset);
  auto file = fs.open(path, OpenMode::kRead);
  if (!file) return std::unexpected(std::move(file.error()));
  auto open = std::make_shared<OpenSegment>();
  open->file = std::move(*file);
  if (auto index = read_index(fs, index_path(dir, summary.base_offset)); index && index->summary() == summary) {
    open->index = std::make_shared<const SparseIndex>(std::move(*index));
    return open;
  }
  auto index = std::make_shared<SparseIndex>(summary.base_offset);
  BatchScanner scanner(*open->file, 0, summary.covered_bytes, summary.base_offset, chain, Check::kHeaders);
  while (true) {
    const auto batch = scanner.next();
    if (!batch && batch.error().kind == ErrorKind::kIo) return std::unexpected(batch.error());
    if (!batch) {
      return fail(ErrorKind::kCorrupt,
                  fmt::format("{} is damaged at position {}: {}", path, scanner.position(), batch.error().message));
    }
    if (!*batch) break;
    index->add((*batch)->size_in_bytes(), scanner.offset(), (*batch)->max_timestamp());
  }
  open->index = std::move(index);
  return open;
}

Result<void> write_index(Fs& fs, std::string_view dir, const SparseIndex& index) {
  auto file = fs.open(index_path(dir, index.summary().base_offset), OpenMode::kCreate);
  if (!file) return std::unexpected(std::move(file.error()));
  const std::string bytes = index.to_bytes();
  if (auto written = (*file)->write_at(0, std::as_bytes(std::span(bytes))); !written) return written;
  return (*file)->sync_data();
}

void remove_leftover(Fs& fs, const std::string& path) {
  const auto removed = fs.remove(path);
  if (!removed && removed.error().kind != ErrorKind::kNotFound) log::warn("Log", "{}", removed.error().message);
}

void remove_segment_files(Fs& fs, std::string_view dir, std::int64_t base_offset) {
  remove_leftover(fs, segment_path(dir, base_offset));
  remove_leftover(fs, index_path(dir, base_offset));
}

std::shared_ptr<const OpenSegment> SegmentCache::find(const Segment* segment) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(segment);
  if (slot == slots_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, slot->second);
  return slot->second->open;
}

void SegmentCache::put(std::shared_ptr<const Segment> segment, std::shared_ptr<const OpenSegment> open) {
  std::list<Slot> evicted;  // closed after the mutex is free
  const std::lock_guard lock(mutex_);
  if (capacity_ == 0 || slots_.contains(segment.get())) return;
  recent_.push_front({std::move(segment), std::move(open)});
  slots_[recent_.front().segment.get()] = recent_.begin();
  while (recent_.size() > capacity_) {
    slots_.erase(recent_.back().segment.get());
    evicted.splice(evicted.begin(), recent_, std::prev(recent_.end()));
  }
}

void SegmentCache::drop(const Segment* segment) {
  std::list<Slot> dropped;
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(segment);
  if (slot == slots_.end()) return;
  dropped.splice(dropped.begin(), recent_, slot->second);
  slots_.erase(slot);
}

std::size_t SegmentCache::size() const {
  const std::lock_guard lock(mutex_);
  return recent_.size();
}

}  // namespace cohort::storage
