// The writing side of a partition: what goes to the log at once, what goes by way of a log thread, and what happens
// when the disk refuses.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/reactor/reactor.h"
#include "server/storage/log_threads.h"
#include "server/topics/options.h"
#include "server/topics/partition.h"
#include "server/topics/partition_load.h"
#include "server/topics/producer_snapshot.h"

namespace cohort::topics {

using protocol::ErrorCode;

// What a log thread does in one go. Owns all that it touches.
struct Partition::Work {
  std::shared_ptr<storage::Log> log;
  std::int32_t leader_epoch = 0;
  std::int64_t now_ms = 0;
  bool reload = false;                         // make the core anew; nothing else
  std::optional<storage::LogOptions> options;  // other ones from now on
  Group group;                                 // to append; may be empty
  bool sync = false;
  bool roll_first = false;
  bool roll = false;
  std::int64_t delete_before = -1;
  Cleaner::StepJob cleaning_step;                        // has an outcome of its own
  ProducerSnapshot producers;                            // to save, before anything is deleted
  std::move_only_function<void(std::int64_t)> appended;  // posts that the group is in the log, before the sync
};

struct Partition::Outcome {
  Result<void> result;
  Result<void> deleted;  // of the deletion; those who write are not concerned
  std::int64_t end_offset = 0;
  std::int64_t durable_offset = 0;
  std::size_t bytes = 0;
  std::int64_t records = 0;
  bool synced = false;
  bool options_left = false;      // those that were to be set are not
  std::optional<bool> log_syncs;  // by those that were set
  bool wrote = false;             // it was about appending or syncing: a failure concerns producers
  std::optional<PartitionCore> core;
  std::uint64_t tail_bytes = 0;
};

bool Partition::needs_disk(const Group& group, Now now) const {
  // A topic that syncs no longer leaves nobody behind who was promised it.
  if (config_.durability == config::Durability::kSync || !until_durable_.empty()) return true;
  if (unsynced_records_ + group.records >= config_.flush_messages) return true;
  return is_flush_due(now) || config_.flush_ms == 0;
}

bool Partition::is_flush_due(Now now) const {
  return unsynced_since_ && (now.mono - *unsynced_since_).count() >= config_.flush_ms;
}

// LogSegment.shouldRoll: by the records' own time, from the first batch of the segment on.
bool Partition::is_roll_due(const Group& group) const {
  const std::int64_t first_ms = log_->first_timestamp_ms();
  return first_ms >= 0 && protocol::BatchHeader(group.bytes.data()).max_timestamp() - first_ms > segment_ms();
}

void Partition::pump(Now now) {
  if (cleaning_step_ && !job_under_way_ && state_ == State::kReady && !closing_) {
    Work work;
    work.cleaning_step = std::exchange(cleaning_step_, nullptr);
    start(std::move(work));
  }
  while (!job_under_way_ && state_ == State::kReady && !groups_.empty()) {
    if (write_inline(now)) continue;
    Work work;
    work.sync = needs_disk(groups_.front(), now);
    work.roll_first = is_roll_due(groups_.front());
    work.group = std::move(groups_.front());
    groups_.pop_front();
    start(std::move(work));
  }
  // A topic that syncs no longer must not leave records invisible that waited for a sync: set_options syncs.
  const bool wants_job = are_options_due(now) || !deletions_.empty();
  if (wants_job && !job_under_way_ && state_ == State::kReady && !closing_) start(Work{});
}

// True: the first group is dealt with, here and now.
bool Partition::write_inline(Now now) {
  Group& group = groups_.front();
  if (are_options_due(now) || needs_disk(group, now) || is_roll_due(group)) return false;
  if (!log_->append_only_writes(group.bytes.size())) return false;
  const auto written = log_->append(group.bytes);
  if (!written) {
    fail_writes(written.error());
    return true;
  }
  const std::size_t size = group.bytes.size();
  const std::int64_t end = group.end_offset;
  unsynced_records_ += group.records;
  if (!unsynced_since_) unsynced_since_ = now.mono;
  bytes_since_snapshot_ += size;
  shared_.inflight_bytes -= size;
  shared_.scratch = std::move(group.bytes);
  groups_.pop_front();
  const std::int64_t old = core_->high_watermark();
  core_->written(end);
  release(until_written_, end);
  moved(old, size);
  return true;
}

void Partition::start(Work work) {
  CHECK(!job_under_way_, "one job at a time");
  job_under_way_ = true;
  const Now now = shared_.reactor.now();
  work.log = log_;
  work.leader_epoch = leader_epoch_;
  work.now_ms = now.wall_ms;
  if (!work.reload && are_options_due(now)) {
    options_changed_ = false;
    work.options = wanted_options();
  }
  if (work.delete_before >= 0) deletions_.push_back({std::exchange(work.delete_before, -1), nullptr});
  if (!work.reload && !deletions_.empty()) {
    work.delete_before = take_deletions(work.group.bytes.empty() ? core_->written_offset() : work.group.end_offset);
    if (work.delete_before >= 0) work.producers = std::exchange(producers_to_save_, {});
  }
  // The core knows what was decided: that is the state behind this job's batches, if no others wait.
  if (!work.reload && groups_.empty() && bytes_since_snapshot_ >= shared_.options.producer_snapshot_bytes) {
    bytes_since_snapshot_ = 0;
    work.producers = snapshot_of_producers();
  }
  auto self = shared_from_this();
  if (!work.group.bytes.empty() && config_.durability == config::Durability::kSync) {
    work.appended = [self](std::int64_t end_offset) {
      self->shared_.reactor.post([self, end_offset] { self->on_appended(end_offset); });
    };
  }
  auto job = [self, work = std::move(work)]() mutable {
    auto outcome = std::make_unique<Outcome>(run(work, self->shared_.fs, self->shared_.options));
    self->shared_.reactor.post([self, outcome = std::move(outcome)] { self->on_done(std::move(*outcome)); });
  };
  // Refused only when the process is ending: nobody is left to be answered.
  job_under_way_ = shared_.threads.submit(log_key_, std::move(job));
}

// On a log thread.
Partition::Outcome Partition::run(Work& work, storage::Fs& fs, const TopicStoreOptions& options) {
  storage::Log& log = *work.log;
  Outcome outcome;
  outcome.bytes = work.group.bytes.size();
  outcome.records = work.group.records;
  outcome.wrote = outcome.bytes > 0 || work.sync;
  outcome.options_left = work.options.has_value();
  outcome.result = [&]() -> Result<void> {
    if (work.reload) {
      if (log.needs_seal()) {
        if (auto sealed = log.seal(); !sealed) return sealed;
      }
      auto loaded = load_partition(fs, log, work.leader_epoch, options, work.now_ms);
      if (!loaded) return std::unexpected(loaded.error());
      outcome.core.emplace(std::move(loaded->core));
      outcome.tail_bytes = loaded->tail_bytes;
      return {};
    }
    if (work.cleaning_step) {
      work.cleaning_step(true);
      if (log.needs_seal()) return log.sync();  // says so
    }
    if (work.options) {
      if (auto set = log.set_options(*work.options); !set) return set;
      outcome.options_left = false;
      outcome.log_syncs = work.options->durability == storage::Durability::kSync;
    }
    if (work.roll_first) {
      if (auto rolled = log.roll(); !rolled) return rolled;
    }
    if (outcome.bytes > 0) {
      if (auto appended = log.append(work.group.bytes); !appended) return appended;
      if (work.appended) work.appended(log.end_offset());
    }
    if (work.sync) {
      if (auto synced = log.sync(); !synced) return synced;
      outcome.synced = true;
    }
    if (work.producers.offset >= 0) {
      outcome.deleted = save_producers(fs, log.dir(), work.producers.encoded, work.producers.offset,
                                       log.expendable_before(work.delete_before));
      if (!outcome.deleted) log::warn("Partition", "{}", outcome.deleted.error().message);
    }
    if (!work.roll) return {};
    auto rolled = log.roll();
    // Without room for a new segment the old ones can still go, and then there is.
    if (rolled || !storage::is_disk_full(rolled.error()) || log.needs_seal()) return rolled;
    log::warn("Partition", "{}", rolled.error().message);
    return {};
  }();
  if (!outcome.result) outcome.deleted = outcome.result;
  if (outcome.deleted && work.delete_before >= 0) outcome.deleted = log.delete_before(work.delete_before);
  outcome.end_offset = log.end_offset();
  outcome.durable_offset = log.durable_offset();
  return outcome;
}

void Partition::on_appended(std::int64_t end_offset) {
  if (state_ != State::kReady || !core_ || end_offset <= core_->written_offset()) return;
  const std::int64_t old = core_->high_watermark();
  core_->written(end_offset);
  release(until_written_, end_offset);
  moved(old, protocol::kBatchHeaderSize);
}

void Partition::on_done(Outcome outcome) {
  job_under_way_ = false;
  shared_.inflight_bytes -= outcome.bytes;
  const Now now = shared_.reactor.now();
  if (outcome.log_syncs) log_syncs_ = *outcome.log_syncs;
  if (outcome.log_syncs && !options_changed_) config_.durability = wanted_durability_;
  if (outcome.options_left) {
    options_changed_ = true;
    retry_at_ = now.mono + shared_.options.retry_after;
  }
  // Any answer may come back into this partition and start the next job.
  std::vector<Deletion> deletions = std::exchange(deleting_, {});
  if (closing_) {
    end_deletions(std::move(deletions), ErrorCode::kUnknownTopicOrPartition);
    if (round_ == Round::kNone) finish_closing();
    return;
  }
  if (outcome.core) {
    core_.emplace(std::move(*outcome.core));
    state_ = State::kReady;
    bytes_since_snapshot_ = outcome.tail_bytes;
    unsynced_records_ = 0;
    unsynced_since_.reset();
    log::warn("Partition", "{}-{} is writable again, from offset {}", id_.topic.value(), id_.partition,
              core_->next_offset());
    shared_.on_moved(*this, protocol::kBatchHeaderSize);
    pump(now);
    return;
  }
  if (!outcome.result) {
    log::error("Partition", "{}-{}: {}", id_.topic.value(), id_.partition, outcome.result.error().message);
    if (state_ == State::kReloading) {
      state_ = State::kFailed;
      retry_at_ = now.mono + shared_.options.retry_after;
      return;
    }
    if (outcome.wrote || log_->needs_seal()) {
      fail_writes(outcome.result.error());
      return end_deletions(std::move(deletions), ErrorCode::kKafkaStorageError);
    }
  } else if (!outcome.deleted) {
    // Old segments that stay do no harm to those who write, but the log may need to be sealed.
    log::error("Partition", "{}-{}: {}", id_.topic.value(), id_.partition, outcome.deleted.error().message);
    if (log_->needs_seal()) {
      fail_writes(outcome.deleted.error());
      return end_deletions(std::move(deletions), ErrorCode::kKafkaStorageError);
    }
  }
  const std::int64_t old = core_->high_watermark();
  core_->written(std::max(outcome.end_offset, core_->written_offset()));
  if (outcome.durable_offset > core_->durable_offset()) core_->durable(outcome.durable_offset);
  bytes_since_snapshot_ += outcome.bytes;
  if (outcome.synced) {
    unsynced_records_ = 0;
    unsynced_since_.reset();
  } else if (outcome.records > 0) {
    unsynced_records_ += outcome.records;
    if (!unsynced_since_) unsynced_since_ = now.mono;
  }
  release(until_written_, core_->written_offset());
  release(until_durable_, core_->durable_offset());
  moved(old, outcome.bytes);
  if (log_->start_offset() > start_seen_) shared_.on_start_raised(*this);
  start_seen_ = log_->start_offset();
  end_deletions(std::move(deletions), outcome.deleted ? ErrorCode::kNone : ErrorCode::kKafkaStorageError);
  if (housekeeping_due_) housekeep(now);
  pump(now);
}

void Partition::fail_writes(const Error& error) {
  log::error("Partition", "{}-{} cannot be written: {}", id_.topic.value(), id_.partition, error.message);
  if (storage::is_disk_full(error)) full_until_ = shared_.reactor.now().mono + shared_.options.retry_after;
  reload();
  refuse_waiting(ErrorCode::kKafkaStorageError, error.message);
  refuse_deletions(ErrorCode::kKafkaStorageError);
}

void Partition::refuse_waiting(ErrorCode error, const std::string& why) {
  for (const Group& group : groups_) shared_.inflight_bytes -= group.bytes.size();
  groups_.clear();
  for (auto* queue : {&until_written_, &until_durable_}) {
    for (Waiting& waiting : *queue) {
      waiting.answer = {};
      waiting.answer.error = error;
      waiting.answer.message = why;
      waiting.needs_end_offset = 0;
    }
  }
  release(until_written_, 0);
  release(until_durable_, 0);
}

void Partition::reload() {
  state_ = State::kReloading;
  cancel_round();
  Work work;
  work.reload = true;
  start(std::move(work));
}

// UnifiedLog.deleteOldSegments: by age, then by size; what is left behind is never above the high watermark.
std::int64_t Partition::retention_offset(Now now) const {
  if (!config_.clean_by_delete) return -1;
  const std::vector<storage::SegmentInfo> segments = log_->segments();
  std::uint64_t size = 0;
  for (const storage::SegmentInfo& segment : segments) size += segment.size_bytes;
  std::int64_t offset = -1;
  bool by_age = config_.retention_ms >= 0;
  for (const storage::SegmentInfo& segment : segments) {
    if (segment.end_offset > high_watermark() || segment.size_bytes == 0) break;
    // Without any timestamp there is no age to go by.
    by_age = by_age && segment.max_timestamp_ms >= 0 && now.wall_ms - segment.max_timestamp_ms > config_.retention_ms;
    const bool by_size = config_.retention_bytes >= 0 &&
                         size - segment.size_bytes >= static_cast<std::uint64_t>(config_.retention_bytes);
    if (!by_age && !by_size) break;
    offset = segment.end_offset;
    size -= segment.size_bytes;
  }
  return offset;
}

// LogConfig.maxSegmentMs: what lies in the last segment cannot be compacted.
std::int64_t Partition::segment_ms() const {
  if (!config_.clean_by_compact) return config_.segment_ms;
  return std::min(config_.segment_ms, config_.max_compaction_lag_ms);
}

void Partition::housekeep(Now now) {
  if (is_foreign() || closing_ || state_ != State::kReady) return;
  // Under steady load there always is a job: this goes between it and the next.
  housekeeping_due_ = job_under_way_;
  if (housekeeping_due_) return;
  core_->producers().forget_expired(now.wall_ms);
  Work work;
  work.delete_before = retention_offset(now);
  const std::vector<storage::SegmentInfo> segments = log_->segments();
  const storage::SegmentInfo& last = segments.back();
  // A segment that gets nothing more, so that it can be compacted; Kafka leaves it until the next append.
  const bool is_old =
      config_.clean_by_compact && last.max_timestamp_ms >= 0 && now.wall_ms - last.max_timestamp_ms > segment_ms();
  work.roll = last.size_bytes > 0 && (is_old || work.delete_before == last.end_offset);
  work.sync = is_flush_due(now);
  if (work.delete_before >= 0 || work.roll || work.sync || are_options_due(now) ||
      bytes_since_snapshot_ >= shared_.options.producer_snapshot_bytes) {
    start(std::move(work));
  }
}

// While jobs follow each other, the next one syncs.
void Partition::flush(Now now) {
  if (is_foreign() || closing_ || state_ != State::kReady || job_under_way_ || !is_flush_due(now)) return;
  Work work;
  work.sync = true;
  start(std::move(work));
}

void Partition::save() const {
  constexpr std::uint64_t kQuicklyRead = 1 << 20;
  if (!core_ || state_ != State::kReady || bytes_since_snapshot_ < kQuicklyRead) return;
  if (core_->next_offset() != log_->end_offset()) return;  // a write failed on the way out
  const ProducerSnapshot producers = snapshot_of_producers();
  const auto saved = save_producers(shared_.fs, log_->dir(), producers.encoded, producers.offset);
  if (!saved) log::warn("Partition", "{}", saved.error().message);
}

void Partition::close(std::function<void()> done) {
  closing_ = true;
  closed_ = std::move(done);
  cancel_round();
  auto queued = Round::kQueued;
  round_.compare_exchange_strong(queued, Round::kNone);  // one that has not begun need not be waited for
  refuse_waiting(ErrorCode::kUnknownTopicOrPartition, "the topic is being deleted");
  refuse_deletions(ErrorCode::kUnknownTopicOrPartition);
  shared_.on_moved(*this, 0);
  if (!job_under_way_ && round_ == Round::kNone) finish_closing();
}

void Partition::finish_closing() {
  if (auto done = std::exchange(closed_, nullptr)) done();
}

}  // namespace cohort::topics
