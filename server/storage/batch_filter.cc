#include "server/storage/batch_filter.h"

#include <algorithm>

#include "server/storage/segment.h"

namespace cohort::storage {
namespace {

// DefaultRecordBatch.writeEmptyHeader.
void append_empty(const protocol::BatchHeader& batch, protocol::ByteBuffer& out) {
  std::byte* const header = out.prepare(protocol::kBatchHeaderSize);
  protocol::write_batch_header({header, protocol::kBatchHeaderSize},
                               {.base_offset = batch.base_offset(),
                                .partition_leader_epoch = batch.partition_leader_epoch(),
                                .timestamp_type = batch.timestamp_type(),
                                .is_transactional = batch.is_transactional(),
                                .last_offset_delta = batch.last_offset_delta(),
                                .max_timestamp = batch.max_timestamp(),
                                .producer_id = batch.producer_id(),
                                .producer_epoch = batch.producer_epoch(),
                                .base_sequence = batch.base_sequence()});
  out.commit(protocol::kBatchHeaderSize);
}

}  // namespace

// Cleaner.shouldRetainRecord: a record without a key can never be replaced, so it does not belong here.
bool BatchFilter::stays(const protocol::BatchHeader& batch, const protocol::RecordView& record) const {
  if (record.offset >= rules_.map_end) return true;
  if (!record.key || map_.get(*record.key) > record.offset) return false;
  const auto horizon = batch.delete_horizon_ms();
  return record.value || !horizon || rules_.now_ms < *horizon;
}

// What is not its last one goes only where the last one has come to stay: it may still be on its way to the disk.
bool BatchFilter::is_producers_last(const protocol::BatchHeader& batch) {
  const auto producer = rules_.producers.find(batch.producer_id());
  if (producer == rules_.producers.end()) return false;
  if (producer->second <= batch.last_offset()) return true;
  rests_on_ = std::max(rests_on_, producer->second + 1);
  return false;
}

Result<void> BatchFilter::filter(const protocol::BatchView& batch, bool must_stay, protocol::ByteBuffer& out) {
  if (batch.is_control()) {
    out.append(batch.bytes());
    return {};
  }
  // 1. Which records stay.
  const auto records = protocol::uncompressed_records(batch, kMaxDecompressedBytes, decompressed_);
  if (!records) return std::unexpected(records.error());
  kept_.clear();
  bool has_tombstones = false;
  protocol::RecordReader reader(batch, *records);
  protocol::RecordView record;
  while (true) {
    const auto more = reader.next(record);
    if (!more) return std::unexpected(more.error());
    if (!*more) break;
    kept_.push_back(stays(batch, record));
    has_tombstones = has_tombstones || (kept_.back() && !record.value);
  }

  // 2. The batch without the others.
  const auto kept = static_cast<std::size_t>(std::ranges::count(kept_, true));
  if (kept == 0) {
    if (must_stay || is_producers_last(batch)) append_empty(batch, out);
    return {};
  }
  if (kept == kept_.size() && (!has_tombstones || batch.delete_horizon_ms())) {
    out.append(batch.bytes());
    return {};
  }
  return rebuild(batch, *records, has_tombstones, out);
}

// MemoryRecords.buildRetainedRecordsInto. The first compaction that sees a tombstone says how long it stays (KIP-534).
Result<void> BatchFilter::rebuild(const protocol::BatchView& batch, std::span<const std::byte> records,
                                  bool has_tombstones, protocol::ByteBuffer& out) {
  protocol::BatchOptions options{.base_offset = batch.base_offset(),
                                 .partition_leader_epoch = batch.partition_leader_epoch(),
                                 .compression = batch.compression().value(),
                                 .is_transactional = batch.is_transactional(),
                                 .producer_id = batch.producer_id(),
                                 .producer_epoch = batch.producer_epoch(),
                                 .base_sequence = batch.base_sequence(),
                                 .delete_horizon_ms = batch.delete_horizon_ms(),
                                 .last_offset_delta = batch.last_offset_delta()};
  if (batch.timestamp_type() == protocol::TimestampType::kLogAppendTime) {
    options.log_append_time_ms = batch.max_timestamp();
  }
  if (has_tombstones && !options.delete_horizon_ms) {
    options.delete_horizon_ms = rules_.now_ms + rules_.delete_retention_ms;
  }
  builder_.start(options);
  protocol::RecordReader reader(batch, records);
  protocol::RecordView record;
  for (const bool kept : kept_) {
    if (const auto more = reader.next(record); !more) return std::unexpected(more.error());
    if (!kept) continue;
    headers_.clear();
    for (const auto& header : record.headers) headers_.push_back(header);
    builder_.append_at(record.offset_delta, record.timestamp_ms, record.key, record.value, headers_);
  }
  const auto rebuilt = builder_.finish();
  // Its own codec may do worse than the producer's did: then all of it stays.
  const bool fits = rebuilt && rebuilt->size() <= kMaxBatchBytes;
  out.append(fits ? *rebuilt : batch.bytes());
  return {};
}

}  // namespace cohort::storage
