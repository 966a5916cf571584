// The hosted topics, as `api` sees them: a catalogue and partitions with their logs. Owned by `app`; every call may
// come from any reactor's thread and is answered on that same reactor, never inside the call itself.
//
// A call over many partitions makes at most one hop to each reactor that hosts some of them and one back; the parts are
// joined on the caller's reactor. Nothing here is locked: the catalogue lives on reactor 0, a partition on the reactor
// that its id hashes to, snapshots are immutable.
//
// Why callbacks and not futures or coroutines: a reply often is built right where the answer arrives, and a hop must
// not allocate more than its message (see server/reactor/message.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "server/topics/catalogue_requests.h"
#include "server/topics/catalogue_snapshot.h"
#include "server/topics/fetch_session_cache.h"
#include "server/topics/options.h"
#include "server/topics/topic_requests.h"

namespace cohort::reactor {
class ReactorPool;
}
namespace cohort::storage {
class Fs;
class Log;
class LogSet;
class LogThreads;
struct Space;
}  // namespace cohort::storage

namespace cohort::topics {

template <typename Answer>
using Done = std::move_only_function<void(Answer)>;

class TopicStoreImpl;

class TopicStore {
 public:
  // Reads the catalogue (on the first start: makes cluster id and internal topics), finishes deletions that a crash cut
  // short, opens every log. Blocks; call it before the reactors run. All references must outlive the store.
  // fs: the one that `logs` works on. new_id: makes topic ids; called here and on reactor 0.
  static Result<std::unique_ptr<TopicStore>> open(reactor::ReactorPool& reactors, storage::Fs& fs,
                                                  storage::LogSet& logs, storage::LogThreads& threads,
                                                  const TopicStoreOptions& options,
                                                  std::function<protocol::Uuid()> new_id, Now now);
  ~TopicStore();

  // Writes what makes the next start quick, as far as in_time() holds. Call it when the reactors and log threads have
  // stopped.
  void close(const std::function<bool()>& in_time);

  // ---- catalogue ----

  // The newest snapshot. A change is in it before its request is answered, on every reactor. The reference is good
  // until the next call on this thread; a reactor's thread pays one atomic load, no lock, no reference count.
  const std::shared_ptr<const CatalogueSnapshot>& snapshot();
  // Called on reactor 0 after every change, before snapshot() shows it anywhere and before the change is answered. Set
  // it before the reactors run.
  void on_snapshot(std::function<void(const std::shared_ptr<const CatalogueSnapshot>&)> subscriber);

  void create_topics(std::vector<CreateTopic> topics, bool validate_only, Done<std::vector<CreatedTopic>> done);
  // Topics that are missing and may be made (auto.create.topics.enable is the caller's to look at) are created with the
  // defaults; TOPIC_ALREADY_EXISTS is success. Internal topics are made by nobody but the store.
  void auto_create(std::vector<std::string> names, Done<std::vector<CreatedTopic>> done);
  void delete_topics(std::vector<DeleteTopic> topics, Done<std::vector<DeletedTopic>> done);
  void create_partitions(std::vector<CreatePartitions> topics, bool validate_only,
                         Done<std::vector<TopicOutcome>> done);
  // Of topics and of groups: what a group sets for itself is kept here, beside the topics, and published with them.
  void alter_configs(std::vector<AlterConfigs> changes, bool validate_only, Done<std::vector<TopicOutcome>> done);
  // An id that was never handed out before, over any crash.
  void allocate_producer_id(Done<Result<std::int64_t>> done);

  // ---- data ----

  // acks=0 is answered like the others; the caller sends nothing.
  void produce(ProduceCall call, Done<std::vector<ProducedPartition>> done);

  using FetchId = std::uint64_t;
  // May be answered after max_wait_ms at the latest. The id is good for cancel_fetch on the same reactor.
  FetchId fetch(FetchCall call, Done<std::vector<FetchedPartition>> done);
  // The connection is gone: the answer is not wanted any more. An id that was answered is ignored.
  void cancel_fetch(FetchId id);
  // Those of the calling reactor.
  FetchSessionCache& fetch_sessions();
  // Whichever reactor it lives on; soon. Nothing if there is no such session.
  void close_fetch_session(std::int32_t id);
  // The server ends: fetches that wait are answered with what is there. From any thread, while the reactors run.
  void end_waiting();

  void list_offsets(ListOffsetsCall call, Done<std::vector<ListedOffset>> done);
  // Answered when what was asked for is durable.
  void delete_records(std::vector<DeleteRecordsPartition> partitions, Done<std::vector<DeletedRecords>> done);
  void active_producers(std::vector<ProducersPartition> partitions, Done<std::vector<ActiveProducers>> done);
  void ends_of_epochs(std::vector<EpochEndPartition> partitions, Done<std::vector<EpochEndAnswer>> done);

  // Bytes in the logs of these partitions, in order; nothing where there is no such partition, or it cannot be opened.
  void log_sizes(std::vector<PartitionId> partitions, Done<std::vector<std::optional<std::uint64_t>>> done);
  // Of the volume that the data folder is on.
  void space(Done<Result<storage::Space>> done);

  // ---- internal topics ----

  // The log of a partition of an internal topic, open and recovered; null for any other. Its writer is a shard, on the
  // reactor named by reactor_of; the store only reads it, up to what was announced by internal_durable. Log threads
  // work on it under log_key(id).
  std::shared_ptr<storage::Log> internal_log(const PartitionId& id);
  static std::uint64_t log_key(const PartitionId& id);
  // The internal log is durable up to this offset (exclusive): consumers may see it. On the partition's reactor.
  void internal_durable(const PartitionId& id, std::int64_t end_offset);
  // Where a partition lives. Internal topics: partition modulo reactors; others by a hash of topic id and partition.
  std::size_t reactor_of(const PartitionId& id) const;

 private:
  explicit TopicStore(std::unique_ptr<TopicStoreImpl> impl);
  std::unique_ptr<TopicStoreImpl> impl_;
};

}  // namespace cohort::topics
