// Starting a TopicStore, and carrying out changes of the catalogue on partitions and logs.
#include <fmt/format.h>

#include <atomic>
#include <latch>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/storage/log_set.h"
#include "server/storage/log_threads.h"
#include "server/topics/partition_load.h"
#include "server/topics/topic_store.h"
#include "server/topics/topic_store_impl.h"

namespace cohort::topics {

Result<std::unique_ptr<TopicStore>> TopicStore::open(reactor::ReactorPool& reactors, storage::Fs& fs,
                                                     storage::LogSet& logs, storage::LogThreads& threads,
                                                     const TopicStoreOptions& options,
                                                     std::function<protocol::Uuid()> new_id, Now now) {
  auto impl = std::make_unique<TopicStoreImpl>(reactors, fs, logs, threads, options, now);
  // 1. What topics there are.
  auto catalogue = Catalogue::open({.reactor = reactors[0],
                                    .threads = threads,
                                    .options = impl->options,
                                    .cell = impl->cell,
                                    .cluster_id = logs.cluster_id(),
                                    .new_id = std::move(new_id)},
                                   logs, now);
  if (!catalogue) return std::unexpected(std::move(catalogue.error()));
  impl->catalogue = std::move(*catalogue);
  impl->starts = impl->catalogue->core().starts();
  for (const auto& topic : impl->catalogue->core().topics()) {
    if (topic->internal) impl->internal_topics.push_back(topic->id);
  }
  // 2. Whether the folders agree with it; only then deletions that a crash cut short, and everything that is to be
  // there.
  if (auto complete = impl->check_complete(); !complete) return std::unexpected(complete.error());
  auto leftovers = impl->find_leftovers();
  if (!leftovers) return std::unexpected(std::move(leftovers.error()));
  if (auto removed = impl->remove_leftovers(*leftovers); !removed) return std::unexpected(removed.error());
  const auto all_opened = impl->open_partitions(now);
  if (!all_opened) return std::unexpected(all_opened.error());
  if (auto marked = impl->catalogue->mark_opened(*all_opened, now); !marked) return std::unexpected(marked.error());
  // 3. From here on changes come by the reactors.
  TopicStoreImpl* raw = impl.get();
  impl->catalogue->set_carry_out([raw](std::vector<TopicChange> changes, Catalogue::CarriedOut done) {
    raw->carry_out(std::move(changes), std::move(done));
  });
  impl->catalogue->publish();
  for (std::size_t i = 0; i < reactors.size(); ++i) {
    reactors[i].post([place = impl->places[i].get()] { place->host.start(); });
  }
  return std::unique_ptr<TopicStore>(new TopicStore(std::move(impl)));
}

TopicStoreImpl::TopicStoreImpl(reactor::ReactorPool& reactors_in, storage::Fs& fs_in, storage::LogSet& logs_in,
                               storage::LogThreads& threads_in, const TopicStoreOptions& options_in, Now now)
    : reactors(reactors_in),
      fs(fs_in),
      logs(logs_in),
      threads(threads_in),
      options(options_in),
      cleaner(options.cleaner) {
  for (std::size_t i = 0; i < reactors.size(); ++i) places.push_back(make_place(i, now));
}

// The part lives on `reactor`, the fetch on the part's home: results travel as messages unless both are the same.
std::unique_ptr<TopicStoreImpl::Place> TopicStoreImpl::make_place(std::size_t index, Now now) {
  const auto at_home = [this, index](std::size_t home, auto function) {
    if (home == index)
      function(places[home]->home);
    else
      reactors[home].send([this, home, function = std::move(function)]() mutable { function(places[home]->home); });
  };
  auto woke = [at_home](const FetchPart& part, FetchPartResult result) {
    at_home(part.home, [id = part.fetch_id, p = part.part, result = std::move(result)](FetchHome& home) mutable {
      home.on_result(id, p, std::move(result));
    });
  };
  auto progress = [at_home](const FetchPart& part, std::size_t bytes) {
    at_home(part.home, [id = part.fetch_id, p = part.part, bytes](FetchHome& home) { home.on_progress(id, p, bytes); });
  };
  return std::unique_ptr<Place>(new Place{
      .host = PartitionHost(reactors[index], fs, threads, cleaner, options, std::move(woke), std::move(progress),
                            [this, index](const PartitionId& id) { reopen(index, id); }),
      .home = FetchHome(reactors[index], links(index), options.fetch_max_bytes),
      .sessions = FetchSessionCache(index, reactors.size(),
                                    FetchSessionLimits::share(options.fetch_session_slots, index, reactors.size()),
                                    static_cast<std::uint64_t>(now.wall_ms)),
      .reader = {}});
}

FetchHome::Links TopicStoreImpl::links(std::size_t home) {
  // Runs there with the host, and brings what it gives back to the fetch's home.
  const auto ask = [this, home](std::size_t reactor, auto function) {
    if (reactor == home) {
      function(places[reactor]->host)(places[home]->home);
      return;
    }
    reactors[reactor].send([this, home, reactor, function = std::move(function)]() mutable {
      reactors[home].send(
          [this, home, answer = function(places[reactor]->host)]() mutable { answer(places[home]->home); });
    });
  };
  FetchHome::Links links;
  links.fetch = [ask](std::size_t reactor, FetchPart part) {
    ask(reactor, [part = std::move(part)](PartitionHost& host) mutable {
      const std::uint64_t id = part.fetch_id;
      const std::size_t index = part.part;
      return [id, index, result = host.fetch(std::move(part))](FetchHome& to) mutable {
        to.on_result(id, index, std::move(result));
      };
    });
  };
  links.finish = [ask, home](std::size_t reactor, std::uint64_t id, std::size_t part) {
    ask(reactor, [home, id, part](PartitionHost& host) {
      return [id, part, result = host.finish_fetch(home, id)](FetchHome& to) mutable {
        if (result)
          to.on_result(id, part, std::move(*result));
        else
          to.on_gone(id, part);
      };
    });
  };
  links.cancel = [this, home](std::size_t reactor, std::uint64_t id) {
    if (reactor == home) return places[reactor]->host.cancel_fetch(home, id);
    reactors[reactor].send([this, home, reactor, id] { places[reactor]->host.cancel_fetch(home, id); });
  };
  links.reactor_of = [this](const PartitionId& id) { return reactor_of(id); };
  return links;
}

// ---- start-up ----

// Logs that the catalogue does not have: of topics whose deletion was decided and perhaps not carried out. Any other
// one means that the catalogue or the folder is not what it was, and nothing is removed on such ground.
Result<std::vector<storage::LogId>> TopicStoreImpl::find_leftovers() const {
  const CatalogueCore& core = catalogue->core();
  std::unordered_map<protocol::TopicId, std::int32_t> known;
  for (const auto& topic : core.topics()) known.emplace(topic->id, topic->partitions);
  std::vector<storage::LogId> leftovers;
  for (const storage::LogId& id : logs.stored()) {
    if (id == CatalogueLog::log_id()) continue;
    const auto topic = known.find(id.topic_id);
    if (topic != known.end() && id.partition < topic->second) continue;
    if (topic == known.end() && core.may_be_left(id.topic_id)) {
      leftovers.push_back(id);
      continue;
    }
    return fail(ErrorKind::kCorrupt,
                fmt::format("{}/{}-{} is of topic id {}, and the catalogue of topics neither has that partition nor "
                            "knows that it was deleted",
                            logs.dir(), id.topic.value(), id.partition, id.topic_id.value()));
  }
  return leftovers;
}

Result<void> TopicStoreImpl::remove_leftovers(const std::vector<storage::LogId>& leftovers) {
  for (const storage::LogId& id : leftovers) {
    log::info("TopicStore", "{}-{} with topic id {} is left over from a deleted topic and is removed", id.topic.value(),
              id.partition, id.topic_id.value());
    if (auto removed = logs.remove(id); !removed) return removed;
  }
  return {};
}

// What was there once and is not any more was lost: an empty log in its place would be taken for the truth.
Result<void> TopicStoreImpl::check_complete() const {
  for (const auto& topic : catalogue->core().topics()) {
    for (std::int32_t partition = 0; partition < topic->partitions; ++partition) {
      if (catalogue->core().may_be_unmade(*topic, partition)) continue;
      if (logs.is_stored({topic->name, topic->id, partition})) continue;
      return fail(ErrorKind::kCorrupt, fmt::format("{}/{}-{} is missing: the folder of a partition of topic id {}",
                                                   logs.dir(), topic->name.value(), partition, topic->id.value()));
    }
  }
  return {};
}

Result<PartitionSeed> TopicStoreImpl::load(const TopicInfo& topic, std::int32_t partition, std::int64_t now_ms) {
  PartitionSeed seed;
  seed.id = {topic.name, topic.id, partition};
  seed.config = topic.config;
  seed.leader_epoch = starts - topic.made_at_start;
  storage::LogOptions how = log_options(topic.config);
  // Its shard syncs each batch before it writes the next.
  how.one_batch_at_a_time = topic.internal && how.durability == storage::Durability::kSync;
  how.verify_all_on_open = topic.internal || options.verify_logs_on_start;
  auto log = logs.open_or_create(seed.id, how);
  if (!log) return std::unexpected(std::move(log.error()));
  seed.log = std::move(*log);
  if (topic.internal) return seed;
  auto loaded = load_partition(fs, *seed.log, seed.leader_epoch, options, now_ms);
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  seed.core.emplace(std::move(loaded->core));
  seed.tail_bytes = loaded->tail_bytes;
  return seed;
}

namespace {

// Without its log a partition is offline.
void take_in(PartitionHost& host, const PartitionId& id, Result<PartitionSeed> seed) {
  if (seed) return host.add(id, std::move(*seed));
  log::error("TopicStore", "a partition cannot be opened: {}", seed.error().message);
  host.add_offline(id);
}

}  // namespace

Result<bool> TopicStoreImpl::open_partitions(Now now) {
  const auto topics = catalogue->core().topics();
  std::mutex mutex;
  std::optional<Error> first_error;
  bool all_opened = true;
  std::latch left(static_cast<std::ptrdiff_t>(catalogue->core().partition_count()));
  for (const auto& topic : topics) {
    for (std::int32_t partition = 0; partition < topic->partitions; ++partition) {
      const PartitionId id{topic->id, partition};
      const bool taken = threads.submit(topics::log_key(id), [&, topic, partition, id] {
        auto seed = load(*topic, partition, now.wall_ms);
        {
          const std::lock_guard lock(mutex);
          // Created when the disk was full already, and nothing is in it. What others hold can still be read.
          const bool is_unmade = !seed && storage::is_disk_full(seed.error()) && !topic->internal &&
                                 !logs.is_stored({topic->name, topic->id, partition});
          if (is_unmade) all_opened = false;
          if (seed || is_unmade) {
            take_in(places[reactor_of(id)]->host, id, std::move(seed));
          } else if (!first_error) {
            first_error = std::move(seed.error());
          }
        }
        left.count_down();
      });
      CHECK(taken, "the log threads stopped before the store was open");
    }
  }
  left.wait();
  if (first_error) return std::unexpected(std::move(*first_error));
  return all_opened;
}

// ---- changes ----

// Counts what is under way on other threads and calls back when all of it is done. Lives as long as somebody holds it;
// counted on reactor 0 only.
class TopicStoreImpl::Steps : public std::enable_shared_from_this<Steps> {
 public:
  // done: whether all of them went well.
  Steps(reactor::Reactor& home, std::function<void(bool)> done) : home_(home), done_(std::move(done)) {}
  // On reactor 0: one more, until what is given back was called, from any thread.
  std::function<void(bool)> begin() {
    ++left_;
    return [self = shared_from_this()](bool good) { self->home_.post([self, good] { self->one_less(good); }); };
  }
  // On reactor 0: nothing more will begin.
  void all_begun() { one_less(true); }

 private:
  void one_less(bool good) {
    all_good_ = all_good_ && good;
    if (--left_ == 0) done_(all_good_);
  }
  reactor::Reactor& home_;
  std::function<void(bool)> done_;
  std::size_t left_ = 1;
  bool all_good_ = true;
};

namespace {

// What several changes of one topic come to: one that was made and deleted in the same go never was.
std::vector<TopicChange> sum_up(std::vector<TopicChange> changes) {
  std::vector<TopicChange> sums;
  std::unordered_map<protocol::TopicId, std::size_t> places;
  for (TopicChange& change : changes) {
    const auto [place, is_first] = places.try_emplace((change.after ? change.after : change.before)->id, sums.size());
    if (is_first)
      sums.push_back(std::move(change));
    else
      sums[place->second].after = std::move(change.after);
  }
  std::erase_if(sums, [](const TopicChange& sum) { return !sum.before && !sum.after; });
  return sums;
}

}  // namespace

void TopicStoreImpl::carry_out(std::vector<TopicChange> changes, Catalogue::CarriedOut done) {
  // A topic may be deleted and its name used again in one go: what goes, goes first.
  auto shared = std::make_shared<const std::vector<TopicChange>>(sum_up(std::move(changes)));
  remove_partitions(*shared, [this, shared, done = std::move(done)]() mutable {
    remove_logs(*shared, [this, shared, done = std::move(done)](bool all_removed) mutable {
      change_configs(*shared);
      make_partitions(*shared, [all_removed, done = std::move(done)](bool all_made) { done(all_removed && all_made); });
    });
  });
}

void TopicStoreImpl::remove_partitions(const std::vector<TopicChange>& changes, std::function<void()> done) {
  std::vector<std::vector<PartitionId>> by_reactor(reactors.size());
  for (const TopicChange& change : changes) {
    if (change.after || !change.before) continue;
    for (std::int32_t partition = 0; partition < change.before->partitions; ++partition) {
      const PartitionId id{change.before->id, partition};
      by_reactor[reactor_of(id)].push_back(id);
    }
  }
  auto steps = std::make_shared<Steps>(reactors[0], [done = std::move(done)](bool) { done(); });
  for (std::size_t i = 0; i < by_reactor.size(); ++i) {
    if (by_reactor[i].empty()) continue;
    reactors[i].send([this, i, ids = std::move(by_reactor[i]), end = steps->begin()] {
      places[i]->host.remove(ids, [end] { end(true); });
    });
  }
  steps->all_begun();
}

void TopicStoreImpl::remove_logs(const std::vector<TopicChange>& changes, Catalogue::CarriedOut done) {
  auto steps = std::make_shared<Steps>(reactors[0], std::move(done));
  for (const TopicChange& change : changes) {
    if (change.after || !change.before) continue;
    for (std::int32_t partition = 0; partition < change.before->partitions; ++partition) {
      const storage::LogId id{change.before->name, change.before->id, partition};
      auto job = [this, id, end = steps->begin()] {
        // What stays behind is removed at the next start.
        const auto removed = logs.remove(id);
        if (!removed) log::error("TopicStore", "{}", removed.error().message);
        end(removed.has_value());
      };
      if (!threads.submit(topics::log_key({id.topic_id, partition}), std::move(job))) return;  // the process is ending
    }
  }
  steps->all_begun();
}

void TopicStoreImpl::make_partitions(const std::vector<TopicChange>& changes, Catalogue::CarriedOut done) {
  auto steps = std::make_shared<Steps>(reactors[0], std::move(done));
  const std::int64_t now_ms = reactors[0].now().wall_ms;
  for (const TopicChange& change : changes) {
    if (!change.after) continue;
    const std::int32_t first = change.before ? change.before->partitions : 0;
    for (std::int32_t partition = first; partition < change.after->partitions; ++partition) {
      const PartitionId id{change.after->id, partition};
      auto job = [this, id, partition, now_ms, topic = change.after, end = steps->begin()]() mutable {
        auto seed = std::make_unique<Result<PartitionSeed>>(load(*topic, partition, now_ms));
        const std::size_t reactor = reactor_of(id);
        reactors[reactor].post([this, reactor, id, seed = std::move(seed), end = std::move(end)] {
          const bool opened = seed->has_value();
          take_in(places[reactor]->host, id, std::move(*seed));
          end(opened);
        });
      };
      if (!threads.submit(topics::log_key(id), std::move(job))) return;  // the process is ending
    }
  }
  steps->all_begun();
}

// A deletion that comes in between is safe: it takes the partition from the host first, and its removal of the log is a
// job behind this one.
void TopicStoreImpl::reopen(std::size_t reactor, const PartitionId& id) {
  auto job = [this, reactor, id, snapshot = cell.get(places[reactor]->reader),
              now_ms = reactors[reactor].now().wall_ms] {
    const TopicInfo* topic = snapshot->find(id.topic);
    if (topic == nullptr) return;  // its deletion is under way
    auto seed = std::make_unique<Result<PartitionSeed>>(load(*topic, id.partition, now_ms));
    reactors[reactor].post([this, reactor, id, seed = std::move(seed)] {
      PartitionHost& host = places[reactor]->host;
      if (!host.is_offline(id)) return;
      if (*seed) log::info("TopicStore", "{}-{} could be opened now", (*seed)->id.topic.value(), id.partition);
      take_in(host, id, std::move(*seed));
    });
  };
  (void)threads.submit(topics::log_key(id), std::move(job));  // not taken: the process is ending
}

void TopicStoreImpl::change_configs(const std::vector<TopicChange>& changes) {
  for (const TopicChange& change : changes) {
    if (!change.before || !change.after || change.before->config == change.after->config) continue;
    for (std::int32_t partition = 0; partition < change.before->partitions; ++partition) {
      const PartitionId id{change.after->id, partition};
      const std::size_t reactor = reactor_of(id);
      // Whoever has the answer and produces then is behind this message.
      reactors[reactor].send(
          [this, reactor, id, topic = change.after] { places[reactor]->host.set_config(id, topic->config); });
    }
  }
}

}  // namespace cohort::topics
