// Compaction of a partition's log: when it begins, and how its steps get their turn among the writes.
#include <algorithm>

#include "protocol/base/log.h"
#include "server/reactor/reactor.h"
#include "server/storage/compaction.h"
#include "server/storage/log_threads.h"
#include "server/topics/cleaner.h"
#include "server/topics/partition.h"

namespace cohort::topics {

void Partition::clean(Now now) {
  if (!config_.clean_by_compact || cleaning_ || closing_ || state_ != State::kReady) return;
  const std::vector<storage::SegmentInfo> segments = log_->segments();
  if (segments.size() < 2 || segments[segments.size() - 2].end_offset <= log_->cleaned_offset()) return;
  auto self = shared_from_this();
  storage::CompactionOptions options{.limit_offset = high_watermark(),
                                     .now_ms = now.wall_ms,
                                     .delete_retention_ms = config_.delete_retention_ms,
                                     .min_lag_ms = config_.min_compaction_lag_ms,
                                     .max_lag_ms = config_.max_compaction_lag_ms,
                                     .min_dirty_ratio = config_.min_cleanable_dirty_ratio,
                                     .map_bytes = shared_.cleaner.map_bytes(),
                                     .segment_bytes = static_cast<std::uint64_t>(config_.segment_bytes)};
  options.is_cancelled = [self] { return self->cleaning_cancelled_ || self->shared_.cleaner.is_stopping(); };
  if (core_) {
    for (const auto& [producer_id, entry] : core_->producers().entries()) {
      if (!entry.batches().empty()) options.producers[producer_id] = entry.batches().back().last_offset;
    }
  }
  // Refused only when the process is ending.
  cleaning_ = shared_.cleaner.submit(log_key_, [self, options = std::move(options)]() mutable {
    self->run_round(std::move(options));
    self->shared_.reactor.post([self] { self->on_cleaned(); });
  });
}

// On a cleaner's thread.
void Partition::run_round(storage::CompactionOptions options) {
  const std::uint64_t before = log_->size_bytes();
  const auto on_writer = [this](Cleaner::Step step) {
    return shared_.cleaner.on_writer(std::move(step), [this](Cleaner::StepJob job) { hand_over(std::move(job)); });
  };
  const auto compacted = storage::compact(shared_.fs, log_, std::move(options), on_writer);
  if (!compacted) {
    log::warn("Partition", "{}-{} cannot be compacted: {}", id_.topic.value(), id_.partition,
              compacted.error().message);
  } else if (*compacted) {
    log::info("Partition", "{}-{}: compacted, {} bytes of {} are left", id_.topic.value(), id_.partition,
              log_->size_bytes(), before);
  }
}

void Partition::hand_over(Cleaner::StepJob job) {
  // A shard's writes are jobs of the same log, so the step has its turn among them.
  if (is_foreign_) {
    (void)shared_.threads.submit(log_key_, [job = std::move(job)]() mutable { job(true); });
    return;
  }
  shared_.reactor.post([self = shared_from_this(), job = std::move(job)]() mutable {
    if (self->closing_ || self->state_ != State::kReady) return job(false);
    self->cleaning_step_ = std::move(job);
    self->pump(self->shared_.reactor.now());
  });
}

void Partition::give_up_cleaning_step() {
  if (auto step = std::exchange(cleaning_step_, nullptr)) step(false);
}

void Partition::on_cleaned() {
  cleaning_ = false;
  if (closing_ && !job_under_way_) finish_closing();
}

}  // namespace cohort::topics
