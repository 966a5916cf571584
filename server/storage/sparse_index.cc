#include "server/storage/sparse_index.h"

#include <algorithm>
#include <array>
#include <concepts>

#include "protocol/batch/crc32c.h"
#include "protocol/wire/big_endian.h"

namespace cohort::storage {
namespace {

constexpr std::uint64_t kMagic = 0x434f484f52544958;  // "COHORTIX"
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kEntryBytes = 20;
constexpr std::size_t kCrcBytes = 4;

template <std::integral T>
void put(std::string& out, T value) {
  std::array<std::byte, sizeof value> bytes{};
  protocol::store_big_endian(bytes.data(), value);
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

template <std::integral T>
T get(std::span<const std::byte> bytes, std::size_t& at) {
  const T value = protocol::load_big_endian<T>(bytes.data() + at);
  at += sizeof value;
  return value;
}

struct Preamble {
  SegmentSummary summary;
  std::uint32_t entries = 0;
};

Result<Preamble> parse_preamble(std::span<const std::byte> bytes) {
  if (bytes.size() < SparseIndex::kSummaryBytes) return fail(ErrorKind::kCorrupt, "index too short");
  std::size_t at = 0;
  Preamble preamble;
  if (get<std::uint64_t>(bytes, at) != kMagic) return fail(ErrorKind::kCorrupt, "not an index");
  if (get<std::uint32_t>(bytes, at) != kVersion) return fail(ErrorKind::kUnsupported, "unknown version of the index");
  preamble.summary.base_offset = get<std::int64_t>(bytes, at);
  preamble.summary.end_offset = get<std::int64_t>(bytes, at);
  preamble.summary.covered_bytes = get<std::uint64_t>(bytes, at);
  preamble.summary.max_timestamp_ms = get<std::int64_t>(bytes, at);
  preamble.entries = get<std::uint32_t>(bytes, at);
  const std::uint32_t computed = protocol::crc32c(bytes.first(at));
  if (get<std::uint32_t>(bytes, at) != computed) return fail(ErrorKind::kCorrupt, "checksum of the index is wrong");
  return preamble;
}

}  // namespace

SparseIndex::SparseIndex(std::int64_t base_offset) {
  summary_.base_offset = base_offset;
  summary_.end_offset = base_offset;
}

void SparseIndex::add(std::size_t batch_bytes, std::int64_t end_offset, std::int64_t max_timestamp_ms) {
  const std::uint64_t last = entries_.empty() ? 0 : entries_.back().position;
  if (summary_.covered_bytes - last >= kIntervalBytes) {
    entries_.push_back(
        {summary_.end_offset, static_cast<std::uint32_t>(summary_.covered_bytes), summary_.max_timestamp_ms});
  }
  summary_.covered_bytes += batch_bytes;
  summary_.end_offset = end_offset;
  summary_.max_timestamp_ms = std::max(summary_.max_timestamp_ms, max_timestamp_ms);
}

void SparseIndex::cut(const SegmentSummary& earlier) {
  while (!entries_.empty() && entries_.back().position >= earlier.covered_bytes) entries_.pop_back();
  summary_ = earlier;
}

SparseIndex::Entry SparseIndex::floor_by_offset(std::int64_t offset) const {
  const auto above = std::ranges::upper_bound(entries_, offset, {}, &Entry::offset);
  return above == entries_.begin() ? Entry{summary_.base_offset, 0, -1} : *std::prev(above);
}

SparseIndex::Entry SparseIndex::floor_by_end(std::uint64_t position, std::int64_t offset) const {
  const auto beyond = std::ranges::partition_point(
      entries_, [&](const Entry& entry) { return entry.position <= position && entry.offset <= offset; });
  return beyond == entries_.begin() ? Entry{summary_.base_offset, 0, -1} : *std::prev(beyond);
}

SparseIndex::Entry SparseIndex::floor_by_timestamp(std::int64_t timestamp_ms) const {
  // The first entry before which such a timestamp has occurred: the batch is behind the entry before that one.
  const auto passed = std::ranges::lower_bound(entries_, timestamp_ms, {}, &Entry::max_timestamp_ms);
  return passed == entries_.begin() ? Entry{summary_.base_offset, 0, -1} : *std::prev(passed);
}

std::string SparseIndex::to_bytes() const {
  std::string out;
  out.reserve(kSummaryBytes + entries_.size() * kEntryBytes + kCrcBytes);
  put(out, kMagic);
  put(out, kVersion);
  put(out, summary_.base_offset);
  put(out, summary_.end_offset);
  put(out, summary_.covered_bytes);
  put(out, summary_.max_timestamp_ms);
  put(out, static_cast<std::uint32_t>(entries_.size()));
  put(out, protocol::crc32c(out));
  for (const Entry& entry : entries_) {
    put(out, entry.offset);
    put(out, entry.position);
    put(out, entry.max_timestamp_ms);
  }
  put(out, protocol::crc32c(std::string_view(out).substr(kSummaryBytes)));
  return out;
}

Result<SegmentSummary> SparseIndex::parse_summary(std::span<const std::byte> bytes) {
  const auto preamble = parse_preamble(bytes);
  if (!preamble) return std::unexpected(preamble.error());
  return preamble->summary;
}

Result<SparseIndex> SparseIndex::parse(std::span<const std::byte> bytes) {
  const auto preamble = parse_preamble(bytes);
  if (!preamble) return std::unexpected(preamble.error());
  const std::size_t entries_bytes = std::size_t{preamble->entries} * kEntryBytes;
  if (bytes.size() != kSummaryBytes + entries_bytes + kCrcBytes) {
    return fail(ErrorKind::kCorrupt, "size of the index is wrong");
  }
  const std::uint32_t computed = protocol::crc32c(bytes.subspan(kSummaryBytes, entries_bytes));
  std::size_t at = kSummaryBytes + entries_bytes;
  if (get<std::uint32_t>(bytes, at) != computed) return fail(ErrorKind::kCorrupt, "checksum of the entries is wrong");

  SparseIndex index;
  index.summary_ = preamble->summary;
  index.entries_.reserve(preamble->entries);
  at = kSummaryBytes;
  Entry previous{preamble->summary.base_offset, 0, -1};
  for (std::uint32_t i = 0; i < preamble->entries; ++i) {
    Entry entry;
    entry.offset = get<std::int64_t>(bytes, at);
    entry.position = get<std::uint32_t>(bytes, at);
    entry.max_timestamp_ms = get<std::int64_t>(bytes, at);
    if (entry.offset <= previous.offset || entry.position <= previous.position ||
        entry.max_timestamp_ms < previous.max_timestamp_ms || entry.offset >= preamble->summary.end_offset ||
        entry.position >= preamble->summary.covered_bytes) {
      return fail(ErrorKind::kCorrupt, "entries of the index are out of order");
    }
    index.entries_.push_back(entry);
    previous = entry;
  }
  return index;
}

}  // namespace cohort::storage
