// Compaction of a partition's log: when it begins, and how its steps get their turn among the writes.
#include <algorithm>
#include <chrono>
#include <utility>

#include "protocol/base/log.h"
#include "server/reactor/reactor.h"
#include "server/storage/compaction.h"
#include "server/storage/log_threads.h"
#include "server/topics/cleaner.h"
#include "server/topics/partition.h"

namespace cohort::topics {
namespace {

// A start reads the logs of internal topics whole, and only closed segments can be compacted. So the last one is closed
// as soon as what is new in the log makes a round worth while (by default: is more than what the last round left), but
// not for so little. Kafka waits until it has segment.bytes, 100 MiB.
constexpr std::uint64_t kLeastToRoll = std::uint64_t{4} << 20;
// Whoever loads a shard reads for a while: a tombstone must not go between a record that it has read and itself.
constexpr std::int64_t kLeastInternalRetentionMs = 10 * 60 * 1000;
// After a round that failed. Most reasons stay: damage, a disk that is full.
constexpr Duration kAfterFailure = std::chrono::minutes{10};

}  // namespace

bool Partition::wants_roll(const std::vector<storage::SegmentInfo>& segments) const {
  if (!is_foreign_ || segments.back().size_bytes < kLeastToRoll) return false;
  std::uint64_t all = 0;
  std::uint64_t dirty = 0;
  for (const storage::SegmentInfo& segment : segments) {
    all += segment.size_bytes;
    if (segment.end_offset > log_->cleaned_offset()) dirty += segment.size_bytes;
  }
  return static_cast<double>(dirty) > config_.min_cleanable_dirty_ratio * static_cast<double>(all);
}

void Partition::clean(Now now) {
  if (!config_.clean_by_compact || round_ != Round::kNone || closing_ || state_ != State::kReady) return;
  if (now.mono < clean_not_before_ || !log_->can_replace()) return;
  const std::vector<storage::SegmentInfo> segments = log_->segments();
  const bool roll = wants_roll(segments);
  const bool has_dirty = segments.size() > 1 && segments[segments.size() - 2].end_offset > log_->cleaned_offset();
  if (!roll && !has_dirty) return;
  auto self = shared_from_this();
  storage::CompactionOptions options{.limit_offset = high_watermark(),
                                     .now_ms = now.wall_ms,
                                     .delete_retention_ms = config_.delete_retention_ms,
                                     .min_lag_ms = config_.min_compaction_lag_ms,
                                     .max_lag_ms = config_.max_compaction_lag_ms,
                                     .min_dirty_ratio = config_.min_cleanable_dirty_ratio,
                                     .map_bytes = shared_.cleaner.map_bytes(),
                                     .segment_bytes = static_cast<std::uint64_t>(config_.segment_bytes)};
  if (is_foreign_) options.delete_retention_ms = std::max(options.delete_retention_ms, kLeastInternalRetentionMs);
  options.is_cancelled = [self] { return self->cleaning_cancelled_ || self->shared_.cleaner.is_stopping(); };
  if (core_) {
    for (const auto& [producer_id, entry] : core_->producers().entries()) {
      if (!entry.batches().empty()) options.producers[producer_id] = entry.batches().back().last_offset;
    }
  }
  cleaning_cancelled_ = false;
  round_ = Round::kQueued;
  const bool taken = shared_.cleaner.submit(log_key_, [self, roll, options = std::move(options)]() mutable {
    auto queued = Round::kQueued;
    if (!self->round_.compare_exchange_strong(queued, Round::kRunning)) return;  // closed meanwhile
    const bool failed = !self->run_round(std::move(options), roll);
    self->shared_.reactor.post([self, failed] { self->on_cleaned(failed); });
  });
  if (!taken) round_ = Round::kNone;  // the process is ending
}

// On a cleaner's thread. False: it failed.
bool Partition::run_round(storage::CompactionOptions options, bool roll) {
  const auto on_writer = [this](Cleaner::Step step) {
    return shared_.cleaner.on_writer(std::move(step), [this](Cleaner::StepJob job) { hand_over(std::move(job)); });
  };
  const auto compacted = [&]() -> Result<bool> {
    if (roll) {
      const auto rolled = on_writer([log = log_] { return log->roll(); });
      if (!rolled) return std::unexpected(rolled.error());
    }
    // A shard's log is durable before anybody hears of what is in it.
    if (is_foreign_) options.limit_offset = log_->durable_offset();
    return storage::compact(shared_.fs, log_, std::move(options), on_writer);
  }();
  if (!compacted && compacted.error().kind != ErrorKind::kNotFound) {
    log::warn("Partition", "{}-{} cannot be compacted: {}", id_.topic.value(), id_.partition,
              compacted.error().message);
    return false;
  }
  if (compacted && *compacted) {
    log::info("Partition", "{}-{}: compacted below offset {}, the log has {} bytes", id_.topic.value(), id_.partition,
              log_->cleaned_offset(), log_->size_bytes());
  }
  return true;
}

void Partition::hand_over(Cleaner::StepJob job) {
  // A shard's writes are jobs of the same log, so the step has its turn among them.
  if (is_foreign_) {
    (void)shared_.threads.submit(log_key_, [job = std::move(job)]() mutable { job(true); });
    return;
  }
  shared_.reactor.post([self = shared_from_this(), job = std::move(job)]() mutable {
    if (self->cleaning_cancelled_ || self->state_ != State::kReady) return job(false);
    self->cleaning_step_ = std::move(job);
    self->pump(self->shared_.reactor.now());
  });
}

// What was decided since the round began may never come to be written.
void Partition::cancel_round() {
  cleaning_cancelled_ = true;
  if (auto step = std::exchange(cleaning_step_, nullptr)) step(false);
}

void Partition::on_cleaned(bool failed) {
  round_ = Round::kNone;
  if (failed) clean_not_before_ = shared_.reactor.now().mono + kAfterFailure;
  if (closing_ && !job_under_way_) finish_closing();
}

}  // namespace cohort::topics
