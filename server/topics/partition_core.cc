#include "server/topics/partition_core.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "protocol/base/check.h"
#include "protocol/batch/produce_validation.h"
#include "server/topics/recompress.h"

namespace cohort::topics {

using protocol::ErrorCode;

PartitionCore::PartitionCore(std::int64_t end_offset, std::int32_t leader_epoch, ProducerTable producers,
                             std::size_t max_decompressed_bytes)
    : leader_epoch_(leader_epoch),
      next_offset_(end_offset),
      written_(end_offset),
      durable_(end_offset),
      high_watermark_(end_offset),
      producers_(std::move(producers)),
      max_decompressed_bytes_(max_decompressed_bytes) {}

namespace {

PartitionCore::Produced refused(ErrorCode error, std::string message) {
  PartitionCore::Produced produced;
  produced.answer.error = error;
  produced.answer.message = std::move(message);
  return produced;
}

}  // namespace

PartitionCore::Produced PartitionCore::produce(std::span<const std::byte> records, std::int16_t acks,
                                               std::int16_t version, const TopicConfig& config, std::int64_t now_ms,
                                               std::vector<std::byte>& out, protocol::ByteBuffer& scratch) {
  // 1. What needs no state (ReplicaManager.appendRecords, Partition.appendRecordsToLeader).
  if (acks < -1 || acks > 1) {
    return refused(ErrorCode::kInvalidRequiredAcks, fmt::format("acks is {}, it must be -1, 0 or 1", acks));
  }
  if (acks == -1 && config.min_insync_replicas > 1) {
    return refused(ErrorCode::kNotEnoughReplicas,
                   fmt::format("min.insync.replicas is {}, there is one replica", config.min_insync_replicas));
  }
  const auto max_message_bytes = static_cast<std::size_t>(config.max_message_bytes);
  const std::size_t max_decompressed_bytes = std::max(max_decompressed_bytes_, 2 * max_message_bytes);
  const bool stamps_time = config.timestamp_type == protocol::TimestampType::kLogAppendTime;
  auto valid = protocol::validate_produced_batch(records,
                                                 {.produce_version = version,
                                                  .max_message_bytes = max_message_bytes,
                                                  .max_decompressed_bytes = max_decompressed_bytes,
                                                  .is_compacted = config.clean_by_compact,
                                                  .timestamp_type = config.timestamp_type,
                                                  .timestamp_before_max_ms = config.timestamp_before_max_ms,
                                                  .timestamp_after_max_ms = config.timestamp_after_max_ms,
                                                  .now_ms = now_ms},
                                                 scratch);
  if (!valid) {
    Produced produced = refused(valid.error().code, std::move(valid.error().message));
    for (protocol::RecordError& error : valid.error().record_errors) {
      produced.answer.record_errors.push_back({error.batch_index, std::move(error.message)});
    }
    return produced;
  }
  if (valid->batch.is_transactional()) {
    return refused(ErrorCode::kInvalidTxnState, "transactions are not served, and the batch says it is part of one");
  }
  if (next_offset_ > std::numeric_limits<std::int64_t>::max() - valid->records_count) {
    return refused(ErrorCode::kUnknownServerError, "the partition has used up its offsets");
  }

  // 2. What the producer did before (UnifiedLog.analyzeAndValidateProducerState).
  if (valid->batch.has_producer_id()) {
    auto verdict = producers_.check(valid->batch, now_ms);
    if (verdict.error != ErrorCode::kNone) return refused(verdict.error, std::move(verdict.message));
    if (verdict.duplicate) {
      Produced produced;
      produced.answer.base_offset = verdict.duplicate->first_offset;
      if (stamps_time) produced.answer.log_append_time_ms = verdict.duplicate->max_timestamp_ms;
      produced.needs_end_offset = verdict.duplicate->last_offset + 1;
      return produced;
    }
  }

  // 3. The bytes as they will lie in the log.
  const std::size_t at = out.size();
  if (config.compression && *config.compression != valid->batch.compression()) {
    auto packed = recompress(valid->batch, *config.compression, max_decompressed_bytes);
    if (!packed) return refused(ErrorCode::kMessageTooLarge, std::move(packed.error().message));
    if (packed->size() > max_message_bytes) {
      return refused(ErrorCode::kMessageTooLarge,
                     fmt::format("the batch has {} bytes with the topic's compression, {} are allowed", packed->size(),
                                 config.max_message_bytes));
    }
    out.insert(out.end(), packed->view().begin(), packed->view().end());
  } else {
    out.insert(out.end(), valid->batch.bytes().begin(), valid->batch.bytes().end());
  }
  const auto batch = std::span(out).subspan(at);
  // UnifiedLog.append: a batch is never split over segments.
  if (batch.size() > static_cast<std::size_t>(config.segment_bytes)) {
    auto too_large = refused(
        ErrorCode::kRecordListTooLarge,
        fmt::format("the batch has {} bytes, a segment of the topic may have {}", batch.size(), config.segment_bytes));
    out.resize(at);
    return too_large;
  }
  protocol::set_base_offset(batch, next_offset_);
  protocol::set_partition_leader_epoch(batch, leader_epoch_);
  protocol::set_max_timestamp(batch, config.timestamp_type, valid->max_timestamp_ms);

  // 4. Book it.
  const protocol::BatchView stored(batch);
  producers_.record(stored, now_ms);
  Produced produced;
  produced.answer.base_offset = next_offset_;
  if (stamps_time) produced.answer.log_append_time_ms = now_ms;
  produced.appended = true;
  const std::int64_t end = stored.last_offset() + 1;
  if (acks == -1 && config.durability == config::Durability::kSync) promises_.push_back({next_offset_, end});
  next_offset_ = end;
  produced.needs_end_offset = end;
  return produced;
}

void PartitionCore::written(std::int64_t end_offset) {
  CHECK(end_offset <= next_offset_, "the log has more than was decided");
  written_ = std::max(written_, end_offset);
  move_high_watermark();
}

void PartitionCore::durable(std::int64_t end_offset) {
  CHECK(end_offset <= written_, "durable above written");
  durable_ = std::max(durable_, end_offset);
  while (!promises_.empty() && promises_.front().end_offset <= durable_) promises_.pop_front();
  move_high_watermark();
}

void PartitionCore::move_high_watermark() {
  const std::int64_t met = promises_.empty() ? written_ : std::min(written_, promises_.front().base_offset);
  high_watermark_ = std::max(high_watermark_, met);
}

ErrorCode check_leader_epoch(std::int32_t current, std::int32_t leader_epoch) {
  if (current == -1 || current == leader_epoch) return ErrorCode::kNone;
  return current < leader_epoch ? ErrorCode::kFencedLeaderEpoch : ErrorCode::kUnknownLeaderEpoch;
}

}  // namespace cohort::topics
