// What a TopicStore is made of. Private to topics; see topic_store.h.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "server/reactor/reactor_pool.h"
#include "server/topics/catalogue.h"
#include "server/topics/cleaner.h"
#include "server/topics/fetch_home.h"
#include "server/topics/fetch_session_cache.h"
#include "server/topics/options.h"
#include "server/topics/partition_host.h"
#include "server/topics/snapshot_cell.h"

namespace cohort::topics {

class TopicStoreImpl {
 public:
  // What one reactor has of the store.
  struct Place {
    PartitionHost host;
    FetchHome home;
    FetchSessionCache sessions;
    SnapshotCell::Reader reader;
  };

  TopicStoreImpl(reactor::ReactorPool& reactors_in, storage::Fs& fs_in, storage::LogSet& logs_in,
                 storage::LogThreads& threads_in, const TopicStoreOptions& options_in, Now now);
  ~TopicStoreImpl() { cleaner.stop(); }  // while its partitions are there

  // ---- start-up, before the reactors run ----
  Result<void> check_complete() const;
  Result<std::vector<storage::LogId>> find_leftovers() const;
  Result<void> remove_leftovers(const std::vector<storage::LogId>& leftovers);
  Result<bool> open_partitions(Now now);  // false: some are offline

  // ---- on reactor 0: carries out what the catalogue decided (Catalogue::CarryOut) ----
  void carry_out(std::vector<TopicChange> changes, Catalogue::CarriedOut done);

  std::size_t reactor_of(const PartitionId& id) const {
    return topics::reactor_of(id, std::ranges::find(internal_topics, id.topic) != internal_topics.end(),
                              reactors.size());
  }

  reactor::ReactorPool& reactors;
  storage::Fs& fs;
  storage::LogSet& logs;
  storage::LogThreads& threads;
  const TopicStoreOptions options;
  Cleaner cleaner;
  SnapshotCell cell;
  std::unique_ptr<Catalogue> catalogue;
  std::vector<protocol::TopicId> internal_topics;  // fixed when the store is opened, as is this:
  std::int32_t starts = 0;                         // CatalogueCore::starts(), for the log threads
  std::vector<std::unique_ptr<Place>> places;      // by reactor

 private:
  class Steps;
  // Blocks: opens or makes the log and reads what it takes to go on.
  Result<PartitionSeed> load(const TopicInfo& topic, std::int32_t partition, std::int64_t now_ms);
  FetchHome::Links links(std::size_t reactor);
  std::unique_ptr<Place> make_place(std::size_t reactor, Now now);
  void remove_partitions(const std::vector<TopicChange>& changes, std::function<void()> done);
  void remove_logs(const std::vector<TopicChange>& changes, Catalogue::CarriedOut done);
  void reopen(std::size_t reactor, const PartitionId& id);
  void make_partitions(const std::vector<TopicChange>& changes, Catalogue::CarriedOut done);
  void change_configs(const std::vector<TopicChange>& changes);
};

}  // namespace cohort::topics
