// Deleting records by request of a client (Partition.deleteRecordsOnLeader) or by retention: the log begins later,
// durably, before a client is answered. The deletion itself is part of a log thread's job, see partition_write.cc.
#include <algorithm>
#include <iterator>
#include <utility>

#include "server/reactor/reactor.h"
#include "server/topics/partition.h"
#include "server/topics/producer_snapshot.h"

namespace cohort::topics {

using protocol::ErrorCode;

void Partition::delete_records(std::int64_t offset, Now now, Deleted answered) {
  const auto refuse = [&answered](ErrorCode error) { answered({.error = error}); };
  if (closing_) return refuse(ErrorCode::kUnknownTopicOrPartition);
  if (is_foreign()) return refuse(ErrorCode::kInvalidTopicException);
  if (config_.clean_by_compact && !config_.clean_by_delete) return refuse(ErrorCode::kPolicyViolation);
  if (state_ != State::kReady) {
    if (state_ == State::kFailed && now.mono >= retry_at_) reload();
    return refuse(ErrorCode::kKafkaStorageError);
  }
  const std::int64_t wanted = offset == kDeleteToHighWatermark ? high_watermark() : offset;
  if (wanted < 0 || wanted > high_watermark()) return refuse(ErrorCode::kOffsetOutOfRange);
  if (wanted <= log_->start_offset()) return answered({.low_watermark = log_->start_offset()});
  deletions_.push_back({wanted, std::move(answered)});
  pump(now);
}

Partition::ProducerSnapshot Partition::snapshot_of_producers() const {
  const std::int64_t offset = core_->next_offset();
  return {.offset = offset, .encoded = encode_producers(core_->producers(), offset)};
}

// Up to where the job that leaves the log at job_end is to delete, for those that wait; -1: nothing yet.
// Batches that are deleted tell the next start nothing of their producers, so a snapshot of these is saved before, and
// only what lies below it is deleted. It counts all that was decided when it was made: it waits until that is in the
// log. What is decided meanwhile does not hold it up.
std::int64_t Partition::take_deletions(std::int64_t job_end) {
  if (producers_to_save_.offset < 0) producers_to_save_ = snapshot_of_producers();
  if (producers_to_save_.offset > job_end) return -1;
  std::int64_t offset = -1;
  deleting_.clear();
  std::vector<Deletion> later;
  for (Deletion& deletion : deletions_) {
    if (deletion.offset > producers_to_save_.offset) {
      later.push_back(std::move(deletion));
    } else {
      offset = std::max(offset, deletion.offset);
      deleting_.push_back(std::move(deletion));
    }
  }
  deletions_ = std::move(later);
  return offset;
}

void Partition::end_deletions(std::vector<Deletion> deletions, ErrorCode error) {
  const std::int64_t start = error == ErrorCode::kNone ? log_->start_offset() : -1;
  for (Deletion& deletion : deletions) {
    if (deletion.answered) deletion.answered({.error = error, .low_watermark = start});
  }
}

void Partition::refuse_deletions(ErrorCode error) {
  producers_to_save_ = {};
  for (Deletion& deletion : std::exchange(deletions_, {})) {
    if (deletion.answered) deletion.answered({.error = error});
  }
}

}  // namespace cohort::topics
