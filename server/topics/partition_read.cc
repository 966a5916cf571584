// The reading side of a partition: fetches and look-ups. Nothing here changes anything.
#include <algorithm>

#include "protocol/base/log.h"
#include "server/topics/partition.h"

namespace cohort::topics {

using protocol::ErrorCode;

// The upper bound is the affair of has_same_history, if the client says what it has read.
bool Partition::is_in_range(const FetchPartition& request, std::int64_t start) const {
  if (request.fetch_offset < start) return false;
  // What was decided but is not in the log yet counts as there: asking for it is early, not wrong.
  const std::int64_t end = core_ ? core_->next_offset() : log_->end_offset();
  return request.last_fetched_epoch >= 0 || request.fetch_offset <= end;
}

// Partition.readRecords (KIP-595): whether what the client has read last is what stands here. Another record may stand
// in its place after a power failure took it and the log went on; then it is told where the two part. False: nothing is
// known of that epoch.
bool Partition::has_same_history(const FetchPartition& request, FetchedPartition& fetched) const {
  if (request.last_fetched_epoch < 0) return true;
  const storage::EpochEnd end = log_->end_of_epoch(request.last_fetched_epoch, leader_epoch_);
  if (end.epoch == storage::kNoEpoch) return false;
  if (end.epoch < request.last_fetched_epoch || end.end_offset < request.fetch_offset) fetched.diverging = end;
  return true;
}

FetchedPartition Partition::fetch(const FetchPartition& request, std::size_t max_bytes, bool at_least_one) const {
  FetchedPartition fetched;
  if (closing_) {
    fetched.error = ErrorCode::kUnknownTopicOrPartition;
    return fetched;
  }
  fetched.leader_epoch = leader_epoch_;
  fetched.error = check_leader_epoch(request.current_leader_epoch, leader_epoch_);
  if (fetched.error != ErrorCode::kNone) return fetched;
  const std::int64_t start = log_->start_offset();
  const std::int64_t limit = high_watermark();
  if (!is_in_range(request, start) || !has_same_history(request, fetched)) {
    fetched.error = ErrorCode::kOffsetOutOfRange;
    return fetched;
  }
  if (!fetched.diverging && request.fetch_offset < limit && (max_bytes > 0 || at_least_one)) {
    auto read = log_->read(request.fetch_offset, max_bytes, limit, at_least_one, storage::ReadForm::kRegion);
    if (!read) {
      // Retention may have passed this offset on its log thread just now.
      fetched.error =
          read.error().kind == ErrorKind::kNotFound ? ErrorCode::kOffsetOutOfRange : ErrorCode::kKafkaStorageError;
      if (fetched.error == ErrorCode::kKafkaStorageError) log::error("Partition", "{}", read.error().message);
      return fetched;
    }
    fetched.records = std::move(read->batches);
  }
  fetched.high_watermark = limit;
  fetched.last_stable_offset = limit;  // no transactions: every record is decided when it is appended
  fetched.log_start_offset = start;
  return fetched;
}

// ReplicaManager.fetchOffset, UnifiedLog.fetchOffsetByTimestamp.
ListedOffset Partition::list_offset(const ListOffsetsPartition& request) const {
  ListedOffset listed;
  if (closing_) {
    listed.error = ErrorCode::kUnknownTopicOrPartition;
    return listed;
  }
  listed.error = check_leader_epoch(request.current_leader_epoch, leader_epoch_);
  if (listed.error != ErrorCode::kNone) return listed;
  const std::int64_t limit = high_watermark();
  switch (request.timestamp) {
    case kLatestTimestamp:
      listed.offset = limit;
      listed.leader_epoch = leader_epoch_;
      return listed;
    case kEarliestTimestamp:
    case kEarliestLocalTimestamp:
      listed.offset = log_->start_offset();
      listed.leader_epoch = log_->epoch_at(listed.offset, leader_epoch_);
      return listed;
    case kLatestTieredTimestamp:
    case kEarliestPendingUploadTimestamp:
      return listed;  // nothing is ever tiered: offset and epoch -1
    default:
      break;
  }
  const auto found = request.timestamp == kMaxTimestamp ? log_->max_timestamp(limit)
                                                        : log_->offset_for_timestamp(request.timestamp, limit);
  if (!found) {
    log::error("Partition", "{}", found.error().message);
    listed.error = ErrorCode::kKafkaStorageError;
  } else if (*found) {
    listed.timestamp = (*found)->timestamp_ms;
    listed.offset = (*found)->offset;
    listed.leader_epoch = log_->epoch_at(listed.offset, leader_epoch_);
  }
  return listed;
}

EpochEndAnswer Partition::end_of_epoch(const EpochEndPartition& request) const {
  EpochEndAnswer answer;
  answer.error =
      closing_ ? ErrorCode::kUnknownTopicOrPartition : check_leader_epoch(request.current_leader_epoch, leader_epoch_);
  if (answer.error == ErrorCode::kNone) answer.end = log_->end_of_epoch(request.leader_epoch, leader_epoch_);
  return answer;
}

// UnifiedLog.activeProducers. Who writes an internal topic is no producer.
ActiveProducers Partition::active_producers(const ProducersPartition&) const {
  ActiveProducers answer;
  if (closing_) answer.error = ErrorCode::kUnknownTopicOrPartition;
  if (state_ != State::kReady) answer.error = ErrorCode::kKafkaStorageError;
  if (answer.error != ErrorCode::kNone || is_foreign()) return answer;
  for (const auto& [id, entry] : core_->producers().entries()) {
    ActiveProducer& producer = answer.producers.emplace_back();
    producer.id = id;
    producer.epoch = entry.epoch;
    if (entry.batches().empty()) continue;
    producer.last_sequence = entry.batches().back().last_sequence;
    producer.last_timestamp_ms = entry.batches().back().max_timestamp_ms;
  }
  std::ranges::sort(answer.producers, {}, &ActiveProducer::id);
  return answer;
}

}  // namespace cohort::topics
