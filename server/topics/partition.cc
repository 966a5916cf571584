#include "server/topics/partition.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/reactor/reactor.h"
#include "server/topics/options.h"

namespace cohort::topics {

using protocol::ErrorCode;

namespace {

constexpr std::size_t kGroupBytes = std::size_t{8} << 20;  // a group takes no more once it has this much
constexpr std::size_t kKeepScratchBytes = std::size_t{4} << 20;

}  // namespace

storage::LogOptions log_options(const TopicConfig& config) {
  storage::LogOptions options;
  const bool sync = config.durability == config::Durability::kSync;
  options.durability = sync ? storage::Durability::kSync : storage::Durability::kOs;
  options.segment_bytes = static_cast<std::uint64_t>(config.segment_bytes);
  // One group is under way at most, and a single batch may be larger than a group.
  options.max_unsynced_bytes = std::max<std::uint64_t>(
      options.max_unsynced_bytes, kGroupBytes + static_cast<std::uint64_t>(config.max_message_bytes));
  return options;
}

Partition::Partition(PartitionShared& shared, PartitionSeed seed, std::uint64_t log_key)
    : shared_(shared),
      id_(std::move(seed.id)),
      log_key_(log_key),
      leader_epoch_(seed.leader_epoch),
      config_(seed.config),
      wanted_durability_(seed.config.durability),
      log_(std::move(seed.log)),
      core_(std::move(seed.core)),
      is_foreign_(!core_.has_value()),
      foreign_high_watermark_(log_->promised_offset()),
      log_syncs_(seed.config.durability == config::Durability::kSync),
      start_seen_(log_->start_offset()),
      bytes_since_snapshot_(seed.tail_bytes) {}

void Partition::produce(const protocol::Bytes& records, std::int16_t acks, std::int16_t version, Now now,
                        Answered answered) {
  const auto refuse = [&](ErrorCode error, std::string message) {
    ProducedPartition answer;
    answer.error = error;
    answer.message = std::move(message);
    answered(std::move(answer));
  };
  // 1. May anything be written now?
  if (closing_) return refuse(ErrorCode::kUnknownTopicOrPartition, "the topic is being deleted");
  if (is_foreign()) return refuse(ErrorCode::kInvalidTopicException, "Cannot append to an internal topic");
  if (state_ != State::kReady) {
    if (state_ == State::kFailed && now.mono >= retry_at_) reload();
    return refuse(ErrorCode::kKafkaStorageError, "the partition's log could not be written and is loaded again");
  }
  if (now.mono < full_until_) return refuse(ErrorCode::kKafkaStorageError, "the disk was full a moment ago");
  if (shared_.inflight_bytes + records.size() > shared_.options.max_inflight_bytes) {
    return refuse(ErrorCode::kKafkaStorageError, "too many records wait for the disk");
  }

  // 2. Decide. The batch goes to the end of the last group that has room.
  const bool may_join = !groups_.empty() && groups_.back().bytes.size() < kGroupBytes;
  if (!may_join) {
    groups_.emplace_back();
    groups_.back().bytes = std::exchange(shared_.scratch, {});
    groups_.back().bytes.clear();
  }
  Group& group = groups_.back();
  const std::size_t before = group.bytes.size();
  const std::int64_t first = core_->next_offset();
  const std::int64_t records_before = group.records;
  shared_.decompressed.clear();
  auto produced =
      core_->produce(records.view(), acks, version, config_, now.wall_ms, group.bytes, shared_.decompressed);
  shared_.decompressed_bytes += shared_.decompressed.size();
  if (shared_.decompressed.capacity() > kKeepScratchBytes) shared_.decompressed = {};
  shared_.inflight_bytes += group.bytes.size() - before;
  group.end_offset = core_->next_offset();
  group.records += core_->next_offset() - first;
  produced.answer.log_start_offset = produced.answer.error == ErrorCode::kNone ? log_->start_offset() : -1;
  if (group.bytes.empty()) {
    shared_.scratch = std::move(group.bytes);
    groups_.pop_back();
  } else if (before > 0 && group.bytes.size() > static_cast<std::size_t>(config_.segment_bytes)) {
    split_last_group(before, first, records_before);
  }

  // 3. Answer what needs no more than was decided; the rest waits.
  const bool wants_disk = acks == -1 && config_.durability == config::Durability::kSync;
  const std::int64_t reached = wants_disk ? core_->durable_offset() : core_->written_offset();
  if (produced.needs_end_offset <= reached) {
    answered(std::move(produced.answer));
  } else {
    add_waiting(wants_disk ? until_durable_ : until_written_,
                {produced.needs_end_offset, std::move(produced.answer), std::move(answered)});
  }
  if (produced.appended) pump(now);
}

// The last batch to a group of its own: a log does not split what is appended together, and together they would make a
// segment above segment.bytes. How large a batch gets is only known when it is encoded.
void Partition::split_last_group(std::size_t bytes, std::int64_t end_offset, std::int64_t records) {
  Group& full = groups_.back();
  const auto from = full.bytes.begin() + static_cast<std::ptrdiff_t>(bytes);
  Group rest{.bytes = {from, full.bytes.end()}, .end_offset = full.end_offset, .records = full.records - records};
  full.bytes.resize(bytes);
  full.end_offset = end_offset;
  full.records = records;
  groups_.push_back(std::move(rest));
}

// Nearly always at the end: only a repeat of a batch that is still on its way goes before others.
void Partition::add_waiting(std::deque<Waiting>& queue, Waiting waiting) {
  auto at = queue.end();
  while (at != queue.begin() && std::prev(at)->needs_end_offset > waiting.needs_end_offset) --at;
  queue.insert(at, std::move(waiting));
}

void Partition::release(std::deque<Waiting>& queue, std::int64_t end_offset) {
  // Answers may come back into this partition: take each out first.
  while (!queue.empty() && queue.front().needs_end_offset <= end_offset) {
    Waiting waiting = std::move(queue.front());
    queue.pop_front();
    waiting.answered(std::move(waiting.answer));
  }
}

void Partition::moved(std::int64_t old_high_watermark, std::size_t bytes) {
  if (high_watermark() > old_high_watermark) shared_.on_moved(*this, bytes);
}

void Partition::foreign_durable(std::int64_t end_offset) {
  const std::int64_t old = foreign_high_watermark_;
  foreign_high_watermark_ = end_offset;
  // How many bytes came is the shard's affair; one batch at least.
  moved(old, protocol::kBatchHeaderSize);
}

storage::LogOptions Partition::wanted_options() const {
  TopicConfig wanted = config_;
  wanted.durability = wanted_durability_;
  return log_options(wanted);
}

void Partition::set_config(const TopicConfig& config) {
  const storage::LogOptions old = wanted_options();
  config_ = config;
  wanted_durability_ = config.durability;
  if (is_foreign()) return;
  if (log_syncs_) config_.durability = config::Durability::kSync;  // until the log was told
  const storage::LogOptions options = wanted_options();
  options_changed_ |= options.durability != old.durability || options.segment_bytes != old.segment_bytes ||
                      options.max_unsynced_bytes != old.max_unsynced_bytes;
  pump(shared_.reactor.now());
}

}  // namespace cohort::topics
