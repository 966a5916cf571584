// The driver of the catalogue: gives its core a log, time and ids, and carries out on the partitions what was decided.
// Lives on reactor 0, owned by the TopicStoreImpl; open() runs before the reactors do.
//
// Changes are taken in groups. What waits is decided together, written and synced by one job, then carried out on the
// partitions (old logs removed, new ones made), then published, and only then answered; the next group begins after
// that. So a name that is created again right after its deletion finds its folder gone, and whoever has the answer
// finds the change in every reactor's snapshot.
//
// Failing: the core is ahead of the log then, so it is thrown away and made again from the log. Changes are answered
// KAFKA_STORAGE_ERROR until that has worked; it is tried at most once a second.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "protocol/base/time.h"
#include "server/topics/catalogue_core.h"
#include "server/topics/catalogue_log.h"
#include "server/topics/snapshot_cell.h"

namespace cohort::reactor {
class Reactor;
}
namespace cohort::storage {
class LogThreads;
}

namespace cohort::topics {

class Catalogue {
 public:
  // Carries changes out; done when partitions and logs are as they should be, or with false and logged that some
  // are not.
  using CarriedOut = std::function<void(bool all_done)>;
  using CarryOut = std::function<void(std::vector<TopicChange> changes, CarriedOut done)>;
  // Called with kNone when the decision is durable and published, else with the error for all of it.
  using Answer = std::move_only_function<void(protocol::ErrorCode failure)>;
  // Decides a request and gives what shall be called when that counts.
  using Decide =
      std::move_only_function<Answer(CatalogueCore& core, const CatalogueContext& context, CatalogueOutput& output)>;

  struct Place {
    reactor::Reactor& reactor;
    storage::LogThreads& threads;
    const TopicStoreOptions& options;
    SnapshotCell& cell;
    std::string cluster_id;
    std::function<protocol::Uuid()> new_id;  // of topics
  };

  // Blocks. Reads the log, counts this start, makes internal topics if they are missing; durable when it returns, but
  // on a full disk, where a start that has only to read goes on and is not counted. A data folder that has logs of
  // partitions and no catalogue of them has lost it: kCorrupt.
  static Result<std::unique_ptr<Catalogue>> open(Place place, storage::LogSet& logs, Now now);

  const CatalogueCore& core() const { return *core_; }
  // Blocks. all: every partition is open, and from here on a missing folder is a lost one.
  Result<void> mark_opened(bool all, Now now);
  void set_carry_out(CarryOut carry_out) { carry_out_ = std::move(carry_out); }
  void on_snapshot(std::function<void(const SnapshotCell::Pointer&)> subscriber) {
    subscriber_ = std::move(subscriber);
  }
  // The first one; later ones follow by themselves.
  void publish();

  // ---- on reactor 0 ----
  void change(Decide decide);
  void allocate_producer_id(std::move_only_function<void(Result<std::int64_t>)> done);

 private:
  struct Written;
  Catalogue(Place place, CatalogueLog log);

  CatalogueContext context(Now now) const { return {now.wall_ms, place_.new_id}; }
  Result<void> begin(Now now);
  Result<void> begin_on_full_disk(const Error& full);
  void pump();
  void write(CatalogueOutput output);
  void on_written(Written written);
  void on_carried_out(bool all_done);
  void finish_group(protocol::ErrorCode failure);
  void reload();
  void refill_producer_ids();

  Place place_;
  CatalogueLog log_;  // the jobs', which run one at a time
  std::unique_ptr<CatalogueCore> core_;
  CarryOut carry_out_;
  std::function<void(const SnapshotCell::Pointer&)> subscriber_;
  std::shared_ptr<const GroupSettingsById> groups_;  // as published; null when they have changed since
  std::int64_t version_ = 0;

  std::deque<Decide> waiting_;
  std::vector<Answer> group_;  // decided, on its way
  bool busy_ = false;
  bool all_done_ = true;  // else a folder is missing or left over until the next start, and nothing is marked
  bool failed_ = false;   // the core is not what the log says
  MonoTime retry_at_{};

  std::int64_t next_producer_id_ = 0;
  std::int64_t producer_ids_end_ = 0;  // durably reserved up to here
  bool refilling_ = false;
  std::deque<std::move_only_function<void(Result<std::int64_t>)>> wanting_ids_;
};

}  // namespace cohort::topics
