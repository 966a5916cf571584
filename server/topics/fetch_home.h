// The asking side of fetches: one per reactor, joins the parts that the reactors of the partitions give, waits for
// min_bytes or the deadline. Owned by the TopicStoreImpl; everything happens on its reactor.
//
// Usual ways of a fetch: all parts read, there is enough, answered. Or there is too little: parts stay parked on their
// reactors; the first one that has enough alone sends its records at once, and the others' are those of before. Only a
// fetch whose min_bytes is made up by several reactors together needs one more round.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "protocol/base/time.h"
#include "server/reactor/timer.h"
#include "server/topics/partition_host.h"
#include "server/topics/topic_requests.h"

namespace cohort::topics {

class FetchHome {
 public:
  using Done = std::move_only_function<void(std::vector<FetchedPartition>)>;

  // How parts are reached: each of these leads to on_result with the fetch id and the part's index, later or at once.
  struct Links {
    std::function<void(std::size_t reactor, FetchPart part)> fetch;
    std::function<void(std::size_t reactor, std::uint64_t fetch_id, std::size_t part)> finish;
    std::function<void(std::size_t reactor, std::uint64_t fetch_id)> cancel;  // leads to nothing
    std::function<std::size_t(const PartitionId& id)> reactor_of;
  };

  FetchHome(reactor::Reactor& reactor, Links links, std::int32_t max_bytes);

  // done is never called inside.
  std::uint64_t start(FetchCall call, Done done);
  void cancel(std::uint64_t fetch_id);
  // The server ends: whatever waits is answered with what is there, and nothing waits any more.
  void end_waiting();

  // A part has read. Fetches that were answered meanwhile are passed over.
  void on_result(std::uint64_t fetch_id, std::size_t part, FetchPartResult result);
  // A parked part was not parked any more when it was to finish: its last result is on its way or there.
  void on_gone(std::uint64_t fetch_id, std::size_t part);
  void on_progress(std::uint64_t fetch_id, std::size_t part, std::size_t bytes);

 private:
  struct Part {
    std::size_t reactor = 0;
    std::vector<std::size_t> indexes;  // in the call
    bool outstanding = true;           // a result is on its way
    bool parked = false;
    std::size_t bytes = 0;  // that it had, or has by its last word
  };
  struct Fetch {
    FetchCall call;
    Done done;
    std::vector<Part> parts;
    std::vector<FetchedPartition> results;
    std::size_t max_bytes = 0;  // of the answer
    std::size_t min_bytes = 0;  // that it waits for
    MonoTime deadline{};
    bool starting = true;  // inside start(): the answer has to wait for a message
    bool waiting = false;  // its deadline is among deadlines_
    bool urgent = false;
    bool dropped = false;  // parked parts had records that were not kept
  };

  void settle(std::uint64_t fetch_id);
  void finish(std::uint64_t fetch_id, Fetch& fetch);
  void answer(std::uint64_t fetch_id);
  std::unique_ptr<Fetch> take(std::uint64_t fetch_id);
  void arm();
  void on_deadline();

  reactor::Reactor& reactor_;
  Links links_;
  std::size_t max_bytes_;
  bool ending_ = false;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<Fetch>> fetches_;
  std::multimap<MonoTime, std::uint64_t> deadlines_;  // of fetches that wait
  reactor::Timer timer_;
};

// The results of parts that did not know of each other, cut to the budget of the whole: in order, whole batches, the
// first batch of all in any case.
void cut_to_budget(const FetchCall& call, std::size_t max_bytes, std::vector<FetchedPartition>& results);

}  // namespace cohort::topics
