#include "server/topics/partition_host.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "server/reactor/reactor.h"
#include "server/topics/options.h"

namespace cohort::topics {

using protocol::ErrorCode;

namespace {

constexpr std::size_t kDecompressedPerTurn = std::size_t{4} << 20;  // some 10 ms of gzip
constexpr Duration kFlushRound = std::chrono::milliseconds{100};    // how exactly flush.ms is kept

bool flushes_by_time(const TopicConfig& config) {
  return config.flush_ms != std::numeric_limits<std::int64_t>::max();
}

}  // namespace

std::size_t reactor_of(const PartitionId& id, bool internal, std::size_t reactors) {
  // Internal topics lie where their shards do.
  if (internal) return static_cast<std::size_t>(id.partition) % reactors;
  return PartitionIdHash{}(id) % reactors;
}

std::uint64_t log_key(const PartitionId& id) {
  return static_cast<std::uint64_t>(PartitionIdHash{}(id)) | 1U;
}

PartitionHost::PartitionHost(reactor::Reactor& reactor, storage::Fs& fs, storage::LogThreads& threads, Cleaner& cleaner,
                             const TopicStoreOptions& options, PartWoke woke, PartProgress progress, Reopen reopen)
    : shared_{.reactor = reactor,
              .fs = fs,
              .threads = threads,
              .cleaner = cleaner,
              .options = options,
              .on_moved = [this](Partition& partition, std::size_t bytes) { on_moved(partition, bytes); },
              .on_start_raised = [this](Partition& partition) { on_start_raised(partition); }},
      woke_(std::move(woke)),
      progress_(std::move(progress)),
      reopen_(std::move(reopen)),
      timer_(reactor, [this] { housekeep(); }),
      clean_timer_(reactor, [this] { clean(); }) {}

void PartitionHost::add(const PartitionId& id, PartitionSeed seed) {
  std::optional<TopicConfig> newer;
  if (const auto offline = offline_.find(id); offline != offline_.end()) {
    newer = offline->second.config;
    offline_.erase(offline);
  }
  note_flush(id, newer ? *newer : seed.config);
  auto partition = std::make_shared<Partition>(shared_, std::move(seed), log_key(id));
  if (newer) partition->set_config(*newer);
  partitions_[id] = std::move(partition);
  if (started_) start();
}

void PartitionHost::add_offline(const PartitionId& id) {
  Offline& offline = offline_[id];
  if (std::exchange(offline.opening, false)) {
    offline.try_again_at = shared_.reactor.now().mono + shared_.options.retry_after;
  }
}

Partition* PartitionHost::find(const PartitionId& id) {
  const auto found = partitions_.find(id);
  return found == partitions_.end() ? nullptr : found->second.get();
}

ErrorCode PartitionHost::why_missing(const PartitionId& id) {
  const auto offline = offline_.find(id);
  if (offline == offline_.end()) return ErrorCode::kUnknownTopicOrPartition;
  const bool is_due = shared_.reactor.now().mono >= offline->second.try_again_at;
  if (is_due && !std::exchange(offline->second.opening, true)) reopen_(id);
  return ErrorCode::kKafkaStorageError;
}

void PartitionHost::remove(const std::vector<PartitionId>& ids, std::function<void()> done) {
  // One count for the loop itself, so that done cannot come before the last one was asked.
  auto left = std::make_shared<std::size_t>(ids.size() + 1);
  auto one_less = [left, done = std::move(done)] {
    if (--*left == 0) done();
  };
  for (const PartitionId& id : ids) {
    offline_.erase(id);
    flushing_.erase(id);
    const auto found = partitions_.find(id);
    if (found == partitions_.end()) {
      one_less();
      continue;
    }
    const std::shared_ptr<Partition> partition = std::move(found->second);
    partitions_.erase(found);
    // The partition lives on in its own job, if there is one.
    partition->close([partition, one_less] { one_less(); });
  }
  one_less();
}

void PartitionHost::set_config(const PartitionId& id, const TopicConfig& config) {
  if (Partition* partition = find(id)) partition->set_config(config);
  if (const auto offline = offline_.find(id); offline != offline_.end()) offline->second.config = config;
  note_flush(id, config);
  start();
}

void PartitionHost::foreign_durable(const PartitionId& id, std::int64_t end_offset) {
  if (Partition* partition = find(id)) partition->foreign_durable(end_offset);
}

void PartitionHost::produce(ProducePart part, std::move_only_function<void(std::vector<ProducedPartition>)> done) {
  auto produce = std::make_shared<Produce>(std::move(part), std::move(done));
  produce->left = produce->part.partitions.size();
  produce->answers.resize(produce->left);
  produces_.push_back(std::move(produce));
  if (produces_.size() == 1) go_on_producing();
}

// Until a turn's worth of records was decompressed. Whatever comes meanwhile waits its turn behind: a producer's
// batches must not overtake each other.
void PartitionHost::go_on_producing() {
  shared_.decompressed_bytes = 0;
  while (!produces_.empty()) {
    const std::shared_ptr<Produce> produce = produces_.front();
    while (produce->next < produce->part.partitions.size()) {
      if (shared_.decompressed_bytes >= kDecompressedPerTurn) {
        return shared_.reactor.send([this] { go_on_producing(); });
      }
      produce_next(produce);
    }
    produces_.pop_front();
  }
}

void PartitionHost::produce_next(const std::shared_ptr<Produce>& produce) {
  const std::size_t index = produce->next++;
  auto answer = [produce, index](ProducedPartition produced) {
    produce->answers[index] = std::move(produced);
    if (--produce->left == 0) produce->done(std::move(produce->answers));
  };
  const ProducePart& part = produce->part;
  const ProducePartition& request = part.partitions[index];
  if (Partition* partition = find(request.id)) {
    return partition->produce(request.records, part.acks, part.version, shared_.reactor.now(), std::move(answer));
  }
  ProducedPartition missing;
  missing.error = why_missing(request.id);
  answer(std::move(missing));
}

std::vector<std::optional<std::uint64_t>> PartitionHost::log_sizes(const std::vector<PartitionId>& ids) {
  std::vector<std::optional<std::uint64_t>> sizes(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (const Partition* partition = find(ids[i])) sizes[i] = partition->log()->size_bytes();
  }
  return sizes;
}

// What can be answered at once.
template <typename Answer, typename Request, typename Ask>
std::vector<Answer> PartitionHost::answer_each(const std::vector<Request>& partitions, Ask ask) {
  std::vector<Answer> answers;
  answers.reserve(partitions.size());
  for (const Request& request : partitions) {
    if (const Partition* partition = find(request.id)) {
      answers.push_back((partition->*ask)(request));
    } else {
      answers.emplace_back().error = why_missing(request.id);
    }
  }
  return answers;
}

std::vector<ListedOffset> PartitionHost::list_offsets(const std::vector<ListOffsetsPartition>& partitions) {
  return answer_each<ListedOffset>(partitions, &Partition::list_offset);
}

std::vector<EpochEndAnswer> PartitionHost::ends_of_epochs(const std::vector<EpochEndPartition>& partitions) {
  return answer_each<EpochEndAnswer>(partitions, &Partition::end_of_epoch);
}

std::vector<ActiveProducers> PartitionHost::active_producers(const std::vector<ProducersPartition>& partitions) {
  return answer_each<ActiveProducers>(partitions, &Partition::active_producers);
}

void PartitionHost::delete_records(std::vector<DeleteRecordsPartition> partitions,
                                   std::move_only_function<void(std::vector<DeletedRecords>)> done) {
  struct Deleting {
    std::move_only_function<void(std::vector<DeletedRecords>)> done;
    std::vector<DeletedRecords> answers;
    std::size_t left = 0;
  };
  auto deleting =
      std::make_shared<Deleting>(std::move(done), std::vector<DeletedRecords>(partitions.size()), partitions.size());
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    auto answer = [deleting, i](DeletedRecords deleted) {
      deleting->answers[i] = deleted;
      if (--deleting->left == 0) deleting->done(std::move(deleting->answers));
    };
    if (Partition* partition = find(partitions[i].id)) {
      partition->delete_records(partitions[i].offset, shared_.reactor.now(), std::move(answer));
    } else {
      answer({.error = why_missing(partitions[i].id)});
    }
  }
}

// ---- fetch ----

// ReplicaManager.readFromLog: in the order of the request, the first batch of all comes whole.
std::vector<FetchedPartition> PartitionHost::read(const FetchPart& part) {
  std::vector<FetchedPartition> results;
  results.reserve(part.partitions.size());
  std::size_t room = part.max_bytes;
  bool first = true;
  for (const FetchPartition& request : part.partitions) {
    const Partition* partition = find(request.id);
    if (partition == nullptr) {
      results.emplace_back().error = why_missing(request.id);
      continue;
    }
    const std::size_t limit = std::min(room, static_cast<std::size_t>(std::max(request.max_bytes, 0)));
    results.push_back(partition->fetch(request, limit, first));
    const std::size_t size = results.back().records.size();
    if (size > 0) first = false;
    room -= std::min(room, size);
  }
  return results;
}

FetchPartResult PartitionHost::fetch(FetchPart part) {
  FetchPartResult result{.partitions = read(part), .parked = false};
  std::size_t bytes = 0;
  bool is_urgent = false;
  for (const FetchedPartition& partition : result.partitions) {
    bytes += partition.records.size();
    is_urgent = is_urgent || partition.is_urgent();
  }
  if (is_urgent || bytes >= part.min_bytes || parked_.size() >= shared_.options.max_parked_fetches) return result;
  result.parked = true;
  const ParkedKey key{part.home, part.fetch_id};
  for (const FetchPartition& request : part.partitions) waiters_[request.id].push_back(key);
  parked_.insert_or_assign(key, Parked{.part = std::move(part), .bytes = bytes});
  return result;
}

void PartitionHost::unpark(const ParkedKey& key, const Parked& parked) {
  for (const FetchPartition& request : parked.part.partitions) {
    const auto found = waiters_.find(request.id);
    if (found == waiters_.end()) continue;
    std::erase(found->second, key);
    if (found->second.empty()) waiters_.erase(found);
  }
}

std::optional<FetchPartResult> PartitionHost::finish_fetch(std::size_t home, std::uint64_t fetch_id) {
  const auto found = parked_.find({home, fetch_id});
  if (found == parked_.end()) return std::nullopt;
  const Parked parked = std::move(found->second);
  const ParkedKey key = found->first;
  parked_.erase(found);
  unpark(key, parked);
  return FetchPartResult{.partitions = read(parked.part), .parked = false};
}

void PartitionHost::cancel_fetch(std::size_t home, std::uint64_t fetch_id) {
  const auto found = parked_.find({home, fetch_id});
  if (found == parked_.end()) return;
  unpark(found->first, found->second);
  parked_.erase(found);
}

void PartitionHost::on_moved(Partition& partition, std::size_t more_bytes) {
  const auto found = waiters_.find({partition.id().topic_id, partition.id().partition});
  if (found == waiters_.end()) return;
  // Waking changes the list.
  const std::vector<ParkedKey> keys = found->second;
  for (const ParkedKey& key : keys) {
    const auto at = parked_.find(key);
    if (at == parked_.end()) continue;
    Parked& parked = at->second;
    parked.bytes += more_bytes;
    if (partition.is_closing() || parked.bytes >= parked.part.min_bytes) {
      wake(key);
    } else if (parked.part.tell_progress) {
      progress_(parked.part, parked.bytes);
    }
  }
}

void PartitionHost::wake(const ParkedKey& key) {
  const FetchPart part = parked_.at(key).part;
  if (auto result = finish_fetch(key.first, key.second)) woke_(part, std::move(*result));
}

// Who waits for records that are gone need not wait for its deadline to hear so.
void PartitionHost::on_start_raised(const Partition& partition) {
  const PartitionId id{partition.id().topic_id, partition.id().partition};
  const auto found = waiters_.find(id);
  if (found == waiters_.end()) return;
  const std::int64_t start = partition.log()->start_offset();
  const std::vector<ParkedKey> keys = found->second;
  for (const ParkedKey& key : keys) {
    const auto at = parked_.find(key);
    if (at == parked_.end()) continue;
    const bool is_gone = std::ranges::any_of(at->second.part.partitions, [&](const FetchPartition& request) {
      return request.id == id && request.fetch_offset < start;
    });
    if (is_gone) wake(key);
  }
}

// ---- rounds ----

void PartitionHost::note_flush(const PartitionId& id, const TopicConfig& config) {
  if (flushes_by_time(config))
    flushing_.insert(id);
  else
    flushing_.erase(id);
}

Duration PartitionHost::housekeeping_interval() const {
  return !flushing_.empty() ? kFlushRound : shared_.options.defaults.retention_check_interval;
}

void PartitionHost::start() {
  const Duration interval = housekeeping_interval();
  // A round that is due stays due, however often topics come and change.
  if (started_ && interval >= interval_) return;
  if (!started_) {
    full_round_at_ = shared_.reactor.now().mono + shared_.options.defaults.retention_check_interval;
    if (shared_.options.cleaner.enable) clean_timer_.set(shared_.reactor.now().mono + shared_.options.cleaner.backoff);
  }
  started_ = true;
  interval_ = interval;
  timer_.set(shared_.reactor.now().mono + interval);
}

// Rounds for the sake of flush.ms are frequent, and only about the partitions that have it.
void PartitionHost::housekeep() {
  const Now now = shared_.reactor.now();
  if (now.mono >= full_round_at_) {
    for (const auto& [id, partition] : partitions_) partition->housekeep(now);
    full_round_at_ = now.mono + shared_.options.defaults.retention_check_interval;
  } else {
    for (const PartitionId& id : flushing_) {
      if (Partition* partition = find(id)) partition->flush(now);
    }
  }
  interval_ = housekeeping_interval();
  timer_.set(now.mono + interval_);
}

void PartitionHost::clean() {
  const Now now = shared_.reactor.now();
  for (const auto& [id, partition] : partitions_) partition->clean(now);
  clean_timer_.set(now.mono + shared_.options.cleaner.backoff);
}

void PartitionHost::save(const std::function<bool()>& in_time) const {
  for (const auto& [id, partition] : partitions_) {
    if (!in_time()) return;
    partition->save();
  }
}

}  // namespace cohort::topics
