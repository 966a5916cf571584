// The reading side of a partition: fetch and list offsets. Nothing here changes anything.
#include <algorithm>

#include "protocol/base/log.h"
#include "server/topics/partition.h"

namespace cohort::topics {

using protocol::ErrorCode;

FetchedPartition Partition::fetch(const FetchPartition& request, std::size_t max_bytes, bool at_least_one) const {
  FetchedPartition fetched;
  if (closing_) {
    fetched.error = ErrorCode::kUnknownTopicOrPartition;
    return fetched;
  }
  fetched.error = check_leader_epoch(request.current_leader_epoch);
  if (fetched.error != ErrorCode::kNone) return fetched;
  // What was decided but is not in the log yet counts as there: asking for it is early, not wrong.
  const std::int64_t start = log_->start_offset();
  const std::int64_t end = core_ ? core_->next_offset() : log_->end_offset();
  if (request.fetch_offset < start || request.fetch_offset > end) {
    fetched.error = ErrorCode::kOffsetOutOfRange;
    return fetched;
  }
  const std::int64_t limit = high_watermark();
  if (request.fetch_offset < limit && (max_bytes > 0 || at_least_one)) {
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
  listed.error = check_leader_epoch(request.current_leader_epoch);
  if (listed.error != ErrorCode::kNone) return listed;
  const std::int64_t limit = high_watermark();
  switch (request.timestamp) {
    case kLatestTimestamp:
      listed.offset = limit;
      listed.leader_epoch = kLeaderEpoch;
      return listed;
    case kEarliestTimestamp:
    case kEarliestLocalTimestamp:
      listed.offset = log_->start_offset();
      listed.leader_epoch = kLeaderEpoch;
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
    listed.leader_epoch = kLeaderEpoch;
  }
  return listed;
}

}  // namespace cohort::topics
