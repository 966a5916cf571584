#include "server/topics/catalogue.h"

#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/log.h"
#include "server/reactor/reactor.h"
#include "server/storage/log_set.h"
#include "server/storage/log_threads.h"

namespace cohort::topics {

using protocol::ErrorCode;

namespace {

constexpr std::int64_t kProducerIdBlock = 1000;  // as Kafka's ProducerIdsBlock
constexpr std::uint64_t kLogKey = 0;
constexpr std::size_t kMaxGroup = 1000;                       // requests that are decided together
constexpr std::size_t kMaxGroupRecords = 10'000;              // no more are decided once there are so many records
constexpr std::size_t kMaxGroupBytes = std::size_t{1} << 20;  // or so many bytes of them
static_assert(kMaxGroupBytes < kMaxStepBytes);
constexpr std::size_t kMaxWarnings = 20;

// Once per start: the server's bounds do not change while it lives, and what is set later is within them.
void warn_of_clamped(const CatalogueCore& core, const config::GroupConfig& config) {
  std::size_t count = 0;
  for (const auto& [group, settings] : core.groups()) {
    for (const std::string& sentence : config::explain_clamped(group, settings, config)) {
      if (++count <= kMaxWarnings) log::warn("Catalogue", "{}", sentence);
    }
  }
  if (count > kMaxWarnings) log::warn("Catalogue", "{} more warnings like these", count - kMaxWarnings);
}

}  // namespace

// What a job gives back.
struct Catalogue::Written {
  Result<void> result;
  std::vector<TopicChange> changes;
  bool groups_changed = false;
  std::int64_t version = 0;
  std::unique_ptr<CatalogueCore> reloaded;  // after a failure
};

Catalogue::Catalogue(Place place, CatalogueLog log)
    : place_(std::move(place)), log_(std::move(log)), core_(std::make_unique<CatalogueCore>(place_.options)) {}

Result<std::unique_ptr<Catalogue>> Catalogue::open(Place place, storage::LogSet& logs, Now now) {
  const bool is_new = !logs.is_stored(CatalogueLog::log_id());
  const bool stored_others = logs.stored().size() > (is_new ? 0U : 1U);
  const auto lost = [&] {
    return fail(ErrorKind::kCorrupt, fmt::format("{} holds logs of topics and no catalogue of them", logs.dir()));
  };
  if (is_new && stored_others) return lost();
  auto log = CatalogueLog::open(logs);
  if (!log) return std::unexpected(std::move(log.error()));
  std::unique_ptr<Catalogue> catalogue(new Catalogue(std::move(place), std::move(*log)));
  if (auto replayed = catalogue->log_.replay(*catalogue->core_); !replayed) return std::unexpected(replayed.error());
  if (catalogue->core_->topic_count() == 0 && stored_others) return lost();
  warn_of_clamped(*catalogue->core_, catalogue->place_.options.group);
  auto begun = catalogue->begin(now);
  if (!begun && storage::is_disk_full(begun.error())) begun = catalogue->begin_on_full_disk(begun.error());
  if (!begun) return std::unexpected(std::move(begun.error()));
  catalogue->version_ = catalogue->log_.end_offset();
  return catalogue;
}

// What a start writes.
Result<void> Catalogue::begin(Now now) {
  // Starts are counted in the log, so without other changes they alone would make it long.
  if (log_.is_long(core_->live_records())) {
    if (auto replaced = log_.replace_all(core_->snapshot_records(), now.wall_ms); !replaced) return replaced;
  }
  CatalogueOutput output;
  core_->count_start(output);
  core_->create_internal_topics(context(now), output);
  return log_.write(output.records, now.wall_ms);
}

// What is there can be read all the same. The start is not counted: records that are written when there is room again
// have the epoch of the start before, which matters only to a client that has read what a power failure took from it.
Result<void> Catalogue::begin_on_full_disk(const Error& full) {
  if (auto recovered = log_.recover(); !recovered) return recovered;
  core_ = std::make_unique<CatalogueCore>(place_.options);
  if (auto replayed = log_.replay(*core_); !replayed) return replayed;
  if (core_->topic_count() == 0) return std::unexpected(full);
  log::warn("Catalogue", "{}; this start is not counted: leader epochs stay as they were", full.message);
  return {};
}

Result<void> Catalogue::mark_opened(bool all, Now now) {
  all_done_ = all;
  if (!all) return {};
  CatalogueOutput mark;
  core_->mark_carried_out(mark);
  if (mark.records.empty()) return {};
  auto noted = log_.note(mark.records, now.wall_ms);
  version_ = log_.end_offset();
  if (noted || !storage::is_disk_full(noted.error())) return noted;
  // Without the mark the next start takes a missing folder for one that was not made yet; reading needs no mark.
  log::warn("Catalogue", "{}; a start on a disk with room makes up for it", noted.error().message);
  return {};
}

void Catalogue::publish() {
  if (!groups_) groups_ = std::make_shared<const GroupSettingsById>(core_->groups());
  auto snapshot =
      std::make_shared<const CatalogueSnapshot>(version_, place_.cluster_id, core_->topics(), groups_, core_->starts());
  // Before `api` can see it: what is asked on the ground of a view comes to a shard behind that view.
  if (subscriber_) subscriber_(snapshot);
  place_.cell.publish(snapshot);
}

void Catalogue::change(Decide decide) {
  if (waiting_.size() >= place_.options.max_pending_changes) {
    CatalogueCore nothing(place_.options);
    CatalogueOutput unused;
    decide(nothing, context(place_.reactor.now()), unused)(ErrorCode::kThrottlingQuotaExceeded);
    return;
  }
  waiting_.push_back(std::move(decide));
  pump();
}

void Catalogue::pump() {
  while (!busy_ && !waiting_.empty()) {
    const Now now = place_.reactor.now();
    if (failed_ && now.mono >= retry_at_) return reload();
    CatalogueOutput output;
    while (!waiting_.empty() && group_.size() < kMaxGroup && output.records.size() < kMaxGroupRecords &&
           output.bytes < kMaxGroupBytes) {
      Decide decide = std::move(waiting_.front());
      waiting_.pop_front();
      group_.push_back(decide(*core_, context(now), output));
    }
    if (failed_) {
      finish_group(ErrorCode::kKafkaStorageError);
    } else if (output.records.empty()) {
      finish_group(ErrorCode::kNone);  // rests on what is durable
    } else {
      write(std::move(output));
    }
  }
}

void Catalogue::write(CatalogueOutput output) {
  busy_ = true;
  std::vector<protocol::CatalogueRecord> snapshot;
  if (log_.is_long(core_->live_records())) snapshot = core_->snapshot_records();
  auto job = [this, output = std::move(output), snapshot = std::move(snapshot),
              now_ms = place_.reactor.now().wall_ms]() mutable {
    auto written = std::make_unique<Written>();
    written->result = log_.write(output.records, now_ms);
    written->version = log_.end_offset();
    written->changes = std::move(output.changes);
    written->groups_changed = output.groups_changed;
    if (written->result && !snapshot.empty()) {
      // The changes are durable whatever becomes of this.
      if (auto replaced = log_.replace_all(snapshot, now_ms); !replaced) {
        log::warn("Catalogue", "its log could not be shortened: {}", replaced.error().message);
      }
    }
    place_.reactor.post([this, written = std::move(written)] { on_written(std::move(*written)); });
  };
  busy_ = place_.threads.submit(kLogKey, std::move(job));
}

void Catalogue::on_written(Written written) {
  busy_ = false;
  if (written.reloaded) {
    core_ = std::move(written.reloaded);
    groups_.reset();
    failed_ = false;
    log::warn("Catalogue", "loaded again after a failed write");
    return pump();
  }
  if (!written.result) {
    log::error("Catalogue", "cannot be written: {}", written.result.error().message);
    failed_ = true;
    retry_at_ = place_.reactor.now().mono + place_.options.retry_after;
    finish_group(ErrorCode::kKafkaStorageError);
    return pump();
  }
  version_ = written.version;
  if (written.groups_changed) groups_.reset();
  if (written.changes.empty()) {
    if (written.groups_changed) publish();
    finish_group(ErrorCode::kNone);
    return pump();
  }
  busy_ = true;
  carry_out_(std::move(written.changes), [this](bool all_done) { on_carried_out(all_done); });
}

void Catalogue::on_carried_out(bool all_done) {
  busy_ = false;
  all_done_ = all_done_ && all_done;
  CatalogueOutput mark;
  if (all_done_) core_->mark_carried_out(mark);
  if (!mark.records.empty()) {
    // Nobody waits for it: without it the next start only trusts a missing folder more than it needs to.
    auto job = [this, records = std::move(mark.records), now_ms = place_.reactor.now().wall_ms] {
      if (auto noted = log_.note(records, now_ms); !noted) log::warn("Catalogue", "{}", noted.error().message);
    };
    (void)place_.threads.submit(kLogKey, std::move(job));  // not taken: the process is ending
  }
  publish();
  finish_group(ErrorCode::kNone);
  pump();
}

void Catalogue::finish_group(ErrorCode failure) {
  // Answers may come back with new requests: those make a group of their own.
  for (Answer& answer : std::exchange(group_, {})) answer(failure);
}

void Catalogue::reload() {
  busy_ = true;
  auto job = [this] {
    auto written = std::make_unique<Written>();
    auto core = std::make_unique<CatalogueCore>(place_.options);
    written->result = log_.recover();
    if (written->result) written->result = log_.replay(*core);
    if (written->result) written->reloaded = std::move(core);
    place_.reactor.post([this, written = std::move(written)] { on_written(std::move(*written)); });
  };
  busy_ = place_.threads.submit(kLogKey, std::move(job));
}

void Catalogue::allocate_producer_id(std::move_only_function<void(Result<std::int64_t>)> done) {
  if (next_producer_id_ < producer_ids_end_) return done(next_producer_id_++);
  if (wanting_ids_.size() >= place_.options.max_pending_changes) {
    return done(fail(ErrorKind::kTooLarge, "too many requests wait for a producer id"));
  }
  wanting_ids_.push_back(std::move(done));
  if (!refilling_) refill_producer_ids();
}

void Catalogue::refill_producer_ids() {
  refilling_ = true;
  change([this](CatalogueCore& core, const CatalogueContext&, CatalogueOutput& output) -> Answer {
    const std::int64_t first = core.reserve_producer_ids(kProducerIdBlock, output);
    return [this, first](ErrorCode failure) {
      refilling_ = false;
      if (failure == ErrorCode::kNone) {
        next_producer_id_ = first;
        producer_ids_end_ = first + kProducerIdBlock;
      }
      for (auto& done : std::exchange(wanting_ids_, {})) {
        if (failure == ErrorCode::kNone)
          allocate_producer_id(std::move(done));
        else
          done(fail(ErrorKind::kIo, "no producer ids could be reserved"));
      }
    };
  });
}

}  // namespace cohort::topics
