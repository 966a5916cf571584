// The partitions of one reactor, and the parts of calls that concern them. Owned by the TopicStoreImpl; everything
// happens on its reactor, but for add() before the reactors run.
//
// A fetch that finds too little parks here: in one step with its read, so that no append falls between the two. Each
// partition that moves looks at those parked on it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "server/reactor/timer.h"
#include "server/topics/partition.h"
#include "server/topics/topic_requests.h"

namespace cohort::topics {

struct PartitionIdHash {
  std::size_t operator()(const PartitionId& id) const {
    return std::hash<protocol::TopicId>{}(id.topic) * 31 + static_cast<std::size_t>(id.partition);
  }
};

// The part of a ProduceCall that concerns one reactor.
struct ProducePart {
  std::int16_t acks = -1;
  std::int16_t version = 0;
  std::vector<ProducePartition> partitions;
};

// The part of a FetchCall that concerns one reactor.
struct FetchPart {
  std::size_t home = 0;        // the reactor that asks
  std::uint64_t fetch_id = 0;  // there
  std::size_t part = 0;        // there
  std::size_t min_bytes = 0;   // park below this; 0: never
  bool tell_progress = false;  // other parts may make up what is missing
  std::size_t max_bytes = 0;
  std::vector<FetchPartition> partitions;
};
struct FetchPartResult {
  std::vector<FetchedPartition> partitions;
  bool parked = false;
};

class PartitionHost {
 public:
  // A parked part found what it waited for; or it has this many bytes now and needs the other parts' to be enough.
  using PartWoke = std::function<void(const FetchPart& part, FetchPartResult result)>;
  using PartProgress = std::function<void(const FetchPart& part, std::size_t bytes)>;
  // A client asked for an offline partition: open it anew, which ends with add() or add_offline(), or with nothing when
  // is_offline() says that it was removed meanwhile.
  using Reopen = std::function<void(const PartitionId& id)>;

  PartitionHost(reactor::Reactor& reactor, storage::Fs& fs, storage::LogThreads& threads, Cleaner& cleaner,
                const TopicStoreOptions& options, PartWoke woke, PartProgress progress, Reopen reopen);

  // ---- what there is ----
  void add(const PartitionId& id, PartitionSeed seed);
  // Its log cannot be opened: KAFKA_STORAGE_ERROR. Who asks for it has it tried again, as the disk may have room by
  // then; but once in TopicStoreOptions::retry_after, for clients ask without end.
  void add_offline(const PartitionId& id);
  bool is_offline(const PartitionId& id) const { return offline_.contains(id); }
  // Closes these; done when no job of theirs is under way and their logs may be removed.
  void remove(const std::vector<PartitionId>& ids, std::function<void()> done);
  void set_config(const PartitionId& id, const TopicConfig& config);
  void foreign_durable(const PartitionId& id, std::int64_t end_offset);
  Partition* find(const PartitionId& id);
  // Begins the rounds of retention, compaction and the like.
  void start();
  void save(const std::function<bool()>& in_time) const;

  // ---- calls ----
  // done once, with the answers in order, perhaps at once. Parts are worked off in order; what takes long, because its
  // batches are compressed, in several turns.
  void produce(ProducePart part, std::move_only_function<void(std::vector<ProducedPartition>)> done);
  std::vector<ListedOffset> list_offsets(const std::vector<ListOffsetsPartition>& partitions);
  std::vector<std::optional<std::uint64_t>> log_sizes(const std::vector<PartitionId>& ids);
  std::vector<EpochEndAnswer> ends_of_epochs(const std::vector<EpochEndPartition>& partitions);
  std::vector<ActiveProducers> active_producers(const std::vector<ProducersPartition>& partitions);
  // As produce().
  void delete_records(std::vector<DeleteRecordsPartition> partitions,
                      std::move_only_function<void(std::vector<DeletedRecords>)> done);
  FetchPartResult fetch(FetchPart part);
  // Reads for the last time a part that is parked; nothing if it is not any more.
  std::optional<FetchPartResult> finish_fetch(std::size_t home, std::uint64_t fetch_id);
  void cancel_fetch(std::size_t home, std::uint64_t fetch_id);
  std::size_t parked() const { return parked_.size(); }

 private:
  struct Parked {
    FetchPart part;
    std::size_t bytes = 0;  // that it would get now, about
  };
  using ParkedKey = std::pair<std::size_t, std::uint64_t>;  // home, fetch id
  struct ParkedKeyHash {
    std::size_t operator()(const ParkedKey& key) const { return key.first * 0x9e3779b97f4a7c15U + key.second; }
  };

  struct Offline {
    bool opening = false;
    MonoTime try_again_at{};
    std::optional<TopicConfig> config = {};  // that came meanwhile: who opens it may have looked before
  };

  struct Produce {
    ProducePart part;
    std::move_only_function<void(std::vector<ProducedPartition>)> done;
    std::vector<ProducedPartition> answers;
    std::size_t next = 0;  // the first partition that was not looked at yet
    std::size_t left = 0;  // answers that are missing
  };

  template <typename Answer, typename Request, typename Ask>
  std::vector<Answer> answer_each(const std::vector<Request>& partitions, Ask ask);
  void go_on_producing();
  void produce_next(const std::shared_ptr<Produce>& produce);
  protocol::ErrorCode why_missing(const PartitionId& id);
  std::vector<FetchedPartition> read(const FetchPart& part);
  void on_moved(Partition& partition, std::size_t more_bytes);
  void on_start_raised(const Partition& partition);
  void wake(const ParkedKey& key);
  void unpark(const ParkedKey& key, const Parked& parked);
  void note_flush(const PartitionId& id, const TopicConfig& config);
  void housekeep();
  void clean();
  Duration housekeeping_interval() const;

  PartitionShared shared_;
  PartWoke woke_;
  PartProgress progress_;
  Reopen reopen_;
  std::unordered_map<PartitionId, std::shared_ptr<Partition>, PartitionIdHash> partitions_;
  std::unordered_map<PartitionId, Offline, PartitionIdHash> offline_;
  std::deque<std::shared_ptr<Produce>> produces_;  // that were not looked at whole; the first is under way
  std::unordered_map<ParkedKey, Parked, ParkedKeyHash> parked_;
  std::unordered_map<PartitionId, std::vector<ParkedKey>, PartitionIdHash> waiters_;  // of partitions with any
  reactor::Timer timer_;
  reactor::Timer clean_timer_;
  bool started_ = false;
  std::unordered_set<PartitionId, PartitionIdHash> flushing_;  // of topics with flush.ms
  Duration interval_{};                                        // of the round that is due
  MonoTime full_round_at_{};                                   // when a round is about all partitions again
};

// Where a partition lives among so many reactors; and its key among the log threads' jobs (never the catalogue's).
std::size_t reactor_of(const PartitionId& id, bool internal, std::size_t reactors);
std::uint64_t log_key(const PartitionId& id);

}  // namespace cohort::topics
