// Offsets by time (ListOffsets). Headers are walked from the sparse index on; only the batch that must hold the record
// is read and decompressed, as in Kafka's LogSegment.findOffsetByTimestamp.
#include <algorithm>
#include <utility>

#include "protocol/batch/record.h"
#include "protocol/wire/byte_buffer.h"
#include "server/storage/batch_scanner.h"
#include "server/storage/log.h"
#include "server/storage/log_views.h"
#include "server/storage/segment.h"

namespace cohort::storage {
namespace {

constexpr std::size_t kWalkBytes = 64 * 1024;

}  // namespace

Result<std::optional<TimestampOffset>> Log::offset_for_timestamp(std::int64_t timestamp_ms,
                                                                 std::int64_t limit_offset) const {
  return on_current_views([&](std::vector<View>& views, const View*& looked_at) -> TimestampResult {
    for (View& view : views) {
      if (view.summary.base_offset >= limit_offset) break;
      if (view.summary.max_timestamp_ms < timestamp_ms) continue;
      looked_at = &view;
      auto found = find_record(view, timestamp_ms, limit_offset);
      if (!found || *found) return found;
    }
    return std::nullopt;
  });
}

// What a seal, a deletion or a compaction took away under a reader is looked for again in what came instead.
template <typename Fn>
Log::TimestampResult Log::on_current_views(Fn fn) const {
  for (int attempt = 1;; ++attempt) {
    std::vector<View> views = all_views();
    const View* looked_at = nullptr;
    auto found = fn(views, looked_at);
    if (found || attempt == kAttempts || !is_outdated(*looked_at)) return found;
  }
}

Result<std::optional<TimestampOffset>> Log::max_timestamp(std::int64_t limit_offset) const {
  return on_current_views([&](std::vector<View>& views, const View*& looked_at) -> TimestampResult {
    // The second look is for a largest time that no record has: that of an empty batch.
    for (const auto trust : {Trust::kSummaries, Trust::kRecords}) {
      std::int64_t best = -1;
      View* best_view = nullptr;
      for (View& view : views) {
        if (view.summary.base_offset >= limit_offset) break;
        if (view.summary.max_timestamp_ms <= best) continue;  // the first record wins among equals
        looked_at = &view;
        const auto visible = visible_max_timestamp(view, limit_offset, trust);
        if (!visible) return std::unexpected(visible.error());
        if (*visible <= best) continue;
        best = *visible;
        best_view = &view;
      }
      if (best_view == nullptr) return std::nullopt;
      looked_at = best_view;
      auto found = find_record(*best_view, best, limit_offset);
      if (!found || *found) return found;
    }
    return std::nullopt;
  });
}

Result<std::int64_t> Log::visible_max_timestamp(View& view, std::int64_t limit_offset, Trust trust) const {
  const std::int64_t start = start_offset();
  const SegmentSummary& summary = view.summary;
  const bool trusts_summary = trust == Trust::kSummaries || view.segment->chain == Chain::kExact;
  if (trusts_summary && summary.base_offset >= start && summary.end_offset <= limit_offset) {
    return summary.max_timestamp_ms;
  }
  // Only a part is visible: what the index knows about its beginning, and the headers of the rest.
  if (auto opened = open_view(view); !opened) return std::unexpected(std::move(opened.error()));
  SparseIndex::Entry from = with_index(view, [&](const SparseIndex& index) {
    return index.floor_by_offset(summary.base_offset >= start ? limit_offset : start);
  });
  if (!trusts_summary) from = {summary.base_offset, 0, -1};
  if (summary.base_offset < start) from.max_timestamp_ms = -1;
  std::int64_t best = from.max_timestamp_ms;
  BatchScanner scanner(*view.file, from.position, summary.covered_bytes, from.offset, view.segment->chain,
                       Check::kHeaders, kWalkBytes);
  while (true) {
    const auto batch = scanner.next();
    if (!batch) return damaged(view, scanner.position(), batch.error());
    if (!*batch || (*batch)->last_offset() >= limit_offset) return best;
    if ((*batch)->last_offset() >= start && (*batch)->records_count() > 0)
      best = std::max(best, (*batch)->max_timestamp());
  }
}

Result<std::optional<TimestampOffset>> Log::find_record(View& view, std::int64_t timestamp_ms,
                                                        std::int64_t limit_offset) const {
  if (auto opened = open_view(view); !opened) return std::unexpected(std::move(opened.error()));
  const std::int64_t start = start_offset();
  const auto from = with_index(view, [&](const SparseIndex& index) { return index.floor_by_timestamp(timestamp_ms); });
  BatchScanner scanner(*view.file, from.position, view.summary.covered_bytes, from.offset, view.segment->chain,
                       Check::kHeaders, kWalkBytes);
  while (true) {
    const std::uint64_t position = scanner.position();
    const auto batch = scanner.next();
    if (!batch) return damaged(view, position, batch.error());
    if (!*batch || (*batch)->last_offset() >= limit_offset) return std::nullopt;
    if ((*batch)->max_timestamp() < timestamp_ms || (*batch)->last_offset() < start) continue;
    auto found = find_in_batch(view, position, (*batch)->size_in_bytes(), timestamp_ms);
    if (!found || *found) return found;  // none: the header says more than its records hold
  }
}

Result<std::optional<TimestampOffset>> Log::find_in_batch(const View& view, std::uint64_t position, std::size_t size,
                                                          std::int64_t timestamp_ms) const {
  std::vector<std::byte> bytes(size);
  const auto read = view.file->read_at(position, bytes);
  if (!read) return std::unexpected(read.error());
  const auto batch = protocol::parse_batch(std::span(bytes).first(*read), kMaxBatchBytes);
  if (!batch) return damaged(view, position, batch.error());
  protocol::ByteBuffer scratch;
  const auto records = protocol::uncompressed_records(*batch, kMaxDecompressedBytes, scratch);
  if (!records) return damaged(view, position, records.error());
  protocol::RecordReader reader(*batch, *records);
  const std::int64_t start = start_offset();
  protocol::RecordView record;
  while (true) {
    const auto more = reader.next(record);
    if (!more) return damaged(view, position, more.error());
    if (!*more) return std::nullopt;
    if (record.timestamp_ms >= timestamp_ms && record.offset >= start) {
      return TimestampOffset{record.timestamp_ms, record.offset};
    }
  }
}

}  // namespace cohort::storage
