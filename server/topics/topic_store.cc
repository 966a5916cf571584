// The face of the room: takes calls apart by reactor and joins their answers. What it stands on is made in
// topic_store_open.cc.
#include "server/topics/topic_store.h"

#include <type_traits>
#include <utility>

#include "protocol/base/check.h"
#include "server/reactor/reactor_pool.h"
#include "server/storage/log_set.h"
#include "server/storage/log_threads.h"
#include "server/topics/topic_store_impl.h"

namespace cohort::topics {

using protocol::ErrorCode;
using reactor::Reactor;

namespace {

Reactor& here() {
  Reactor* reactor = Reactor::current();
  CHECK(reactor != nullptr, "the topic store is called from a reactor");
  return *reactor;
}

// Of what is one or has one.
template <typename Item>
PartitionId id_of(const Item& item) {
  if constexpr (std::is_same_v<Item, PartitionId>)
    return item;
  else
    return item.id;
}

// The items of a call by the reactor of their partition.
template <typename Item>
struct Share {
  std::size_t reactor = 0;
  std::vector<std::size_t> indexes;  // in the call
  std::vector<Item> items;
};

template <typename Item, typename ReactorOf>
std::vector<Share<Item>> share_out(std::vector<Item> items, const ReactorOf& reactor_of) {
  std::vector<Share<Item>> shares;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::size_t reactor = reactor_of(id_of(items[i]));
    auto share = shares.begin();
    while (share != shares.end() && share->reactor != reactor) ++share;
    if (share == shares.end()) {
      share = shares.emplace(shares.end());
      share->reactor = reactor;
    }
    share->indexes.push_back(i);
    share->items.push_back(std::move(items[i]));
  }
  return shares;
}

// Gathers the answers of all shares on the reactor that called. Touched there only.
template <typename Answer>
struct Join {
  std::vector<Answer> answers;
  std::size_t shares_left = 0;
  Done<std::vector<Answer>> done;
  bool inside_call = true;

  void add(const std::vector<std::size_t>& indexes, std::vector<Answer> part) {
    for (std::size_t i = 0; i < indexes.size(); ++i) answers[indexes[i]] = std::move(part[i]);
    if (--shares_left == 0 && !inside_call) done(std::move(answers));
  }
};

template <typename Answer>
std::shared_ptr<Join<Answer>> begin_join(std::size_t answers, std::size_t shares, Done<std::vector<Answer>> done) {
  auto join = std::make_shared<Join<Answer>>();
  join->answers.resize(answers);
  join->shares_left = shares;
  join->done = std::move(done);
  return join;
}

// At the end of the call: what is complete already is answered by way of a message.
template <typename Answer>
void end_call(Reactor& home, const std::shared_ptr<Join<Answer>>& join) {
  join->inside_call = false;
  if (join->shares_left == 0) home.send([join] { join->done(std::move(join->answers)); });
}

// Runs on the reactor of that index: at once if it is this one.
template <typename F>
void run_on(TopicStoreImpl& store, std::size_t index, F function) {
  if (index == here().index())
    function();
  else
    store.reactors[index].send(std::move(function));
}

// A call that each host answers at once, by that function of it.
template <typename Item, typename Answer>
void ask(TopicStoreImpl& store, std::vector<Item> items, Done<std::vector<Answer>> done,
         std::vector<Answer> (PartitionHost::*answer_all)(const std::vector<Item>&)) {
  Reactor& home = here();
  const std::size_t count = items.size();
  auto shares = share_out(std::move(items), [&store](const PartitionId& id) { return store.reactor_of(id); });
  auto join = begin_join<Answer>(count, shares.size(), std::move(done));
  for (auto& share : shares) {
    PartitionHost& host = store.places[share.reactor]->host;
    if (share.reactor == home.index()) {
      join->add(share.indexes, (host.*answer_all)(share.items));
      continue;
    }
    store.reactors[share.reactor].send([&home, &host, join, answer_all, share = std::move(share)]() mutable {
      home.send([join = std::move(join), indexes = std::move(share.indexes),
                 answers = (host.*answer_all)(share.items)]() mutable { join->add(indexes, std::move(answers)); });
    });
  }
  end_call(home, join);
}

// A call that hosts answer when they can: give(host, items, deliver) leads to deliver(answers) there, once.
template <typename Item, typename Answer, typename Give>
void ask_later(TopicStoreImpl& store, std::vector<Item> items, Done<std::vector<Answer>> done, Give give) {
  Reactor& home = here();
  const std::size_t count = items.size();
  auto shares = share_out(std::move(items), [&store](const PartitionId& id) { return store.reactor_of(id); });
  auto join = begin_join<Answer>(count, shares.size(), std::move(done));
  for (auto& share : shares) {
    PartitionHost& host = store.places[share.reactor]->host;
    auto deliver = [&home, join, indexes = std::move(share.indexes)](std::vector<Answer> answers) mutable {
      if (Reactor::current() == &home) return join->add(indexes, std::move(answers));
      home.send([join = std::move(join), indexes = std::move(indexes), answers = std::move(answers)]() mutable {
        join->add(indexes, std::move(answers));
      });
    };
    run_on(store, share.reactor, [&host, give, part = std::move(share.items), deliver = std::move(deliver)]() mutable {
      give(host, std::move(part), std::move(deliver));
    });
  }
  end_call(home, join);
}

template <typename Answer>
void override_errors(std::vector<Answer>& answers, ErrorCode failure) {
  if (failure == ErrorCode::kNone) return;
  for (Answer& answer : answers) {
    answer.error = failure;
    answer.message = failure == ErrorCode::kThrottlingQuotaExceeded ? "too many changes of topics wait for the disk"
                                                                    : "the catalogue of topics could not be written";
  }
}

// A change of the catalogue: decided on reactor 0, answered on this one when it counts.
template <typename Answer, typename DecideAnswers>
void change(TopicStoreImpl& store, Done<std::vector<Answer>> done, DecideAnswers decide) {
  Reactor& home = here();
  auto step = [&home, done = std::move(done), decide = std::move(decide)](
                  CatalogueCore& core, const CatalogueContext& context,
                  CatalogueOutput& output) mutable -> Catalogue::Answer {
    return [&home, done = std::move(done), answers = decide(core, context, output)](ErrorCode failure) mutable {
      override_errors(answers, failure);
      home.send([done = std::move(done), answers = std::move(answers)]() mutable { done(std::move(answers)); });
    };
  };
  run_on(store, 0, [&store, step = std::move(step)]() mutable { store.catalogue->change(std::move(step)); });
}

}  // namespace

TopicStore::TopicStore(std::unique_ptr<TopicStoreImpl> impl) : impl_(std::move(impl)) {}
TopicStore::~TopicStore() = default;

void TopicStore::close(const std::function<bool()>& in_time) {
  impl_->cleaner.stop();
  for (const auto& place : impl_->places) place->host.save(in_time);
}

// ---- catalogue ----

const std::shared_ptr<const CatalogueSnapshot>& TopicStore::snapshot() {
  if (const Reactor* reactor = Reactor::current()) return impl_->cell.get(impl_->places[reactor->index()]->reader);
  // Not on a reactor: start-up and tests.
  thread_local SnapshotCell::Pointer newest;
  SnapshotCell::Reader reader;
  newest = impl_->cell.get(reader);
  return newest;
}

void TopicStore::on_snapshot(std::function<void(const std::shared_ptr<const CatalogueSnapshot>&)> subscriber) {
  impl_->catalogue->on_snapshot(std::move(subscriber));
}

void TopicStore::create_topics(std::vector<CreateTopic> topics, bool validate_only,
                               Done<std::vector<CreatedTopic>> done) {
  change(*impl_, std::move(done),
         [topics = std::move(topics), validate_only](CatalogueCore& core, const CatalogueContext& context,
                                                     CatalogueOutput& output) {
           return core.create_topics(topics, validate_only, context, output);
         });
}

void TopicStore::auto_create(std::vector<std::string> names, Done<std::vector<CreatedTopic>> done) {
  change(*impl_, std::move(done),
         [names = std::move(names)](CatalogueCore& core, const CatalogueContext& context, CatalogueOutput& output) {
           return core.auto_create(names, context, output);
         });
}

void TopicStore::delete_topics(std::vector<DeleteTopic> topics, Done<std::vector<DeletedTopic>> done) {
  change(*impl_, std::move(done),
         [topics = std::move(topics)](CatalogueCore& core, const CatalogueContext&, CatalogueOutput& output) {
           return core.delete_topics(topics, output);
         });
}

void TopicStore::create_partitions(std::vector<CreatePartitions> topics, bool validate_only,
                                   Done<std::vector<TopicOutcome>> done) {
  change(*impl_, std::move(done),
         [topics = std::move(topics), validate_only](CatalogueCore& core, const CatalogueContext&,
                                                     CatalogueOutput& output) {
           return core.create_partitions(topics, validate_only, output);
         });
}

void TopicStore::alter_configs(std::vector<AlterConfigs> changes, bool validate_only,
                               Done<std::vector<TopicOutcome>> done) {
  change(*impl_, std::move(done),
         [changes = std::move(changes), validate_only](CatalogueCore& core, const CatalogueContext&,
                                                       CatalogueOutput& output) {
           return core.alter_configs(changes, validate_only, output);
         });
}

void TopicStore::allocate_producer_id(Done<Result<std::int64_t>> done) {
  Reactor& home = here();
  auto answer = [&home, done = std::move(done)](Result<std::int64_t> id) mutable {
    home.send([done = std::move(done), id = std::move(id)]() mutable { done(std::move(id)); });
  };
  run_on(*impl_, 0,
         [this, answer = std::move(answer)]() mutable { impl_->catalogue->allocate_producer_id(std::move(answer)); });
}

// ---- data ----

void TopicStore::produce(ProduceCall call, Done<std::vector<ProducedPartition>> done) {
  ask_later(*impl_, std::move(call.partitions), std::move(done),
            [acks = call.acks, version = call.version](PartitionHost& host, auto partitions, auto deliver) {
              host.produce({.acks = acks, .version = version, .partitions = std::move(partitions)}, std::move(deliver));
            });
}

void TopicStore::delete_records(std::vector<DeleteRecordsPartition> partitions,
                                Done<std::vector<DeletedRecords>> done) {
  ask_later(*impl_, std::move(partitions), std::move(done), [](PartitionHost& host, auto items, auto deliver) {
    host.delete_records(std::move(items), std::move(deliver));
  });
}

TopicStore::FetchId TopicStore::fetch(FetchCall call, Done<std::vector<FetchedPartition>> done) {
  return impl_->places[here().index()]->home.start(std::move(call), std::move(done));
}

void TopicStore::cancel_fetch(FetchId id) {
  impl_->places[here().index()]->home.cancel(id);
}

FetchSessionCache& TopicStore::fetch_sessions() {
  return impl_->places[here().index()]->sessions;
}

void TopicStore::close_fetch_session(std::int32_t id) {
  const std::size_t index = FetchSessionCache::reactor_of(id, impl_->reactors.size());
  run_on(*impl_, index, [place = impl_->places[index].get(), id] { place->sessions.close(id); });
}

void TopicStore::end_waiting() {
  for (std::size_t i = 0; i < impl_->places.size(); ++i) {
    impl_->reactors[i].post([&place = *impl_->places[i]] { place.home.end_waiting(); });
  }
}

void TopicStore::list_offsets(ListOffsetsCall call, Done<std::vector<ListedOffset>> done) {
  ask(*impl_, std::move(call.partitions), std::move(done), &PartitionHost::list_offsets);
}

void TopicStore::active_producers(std::vector<ProducersPartition> partitions, Done<std::vector<ActiveProducers>> done) {
  ask(*impl_, std::move(partitions), std::move(done), &PartitionHost::active_producers);
}

void TopicStore::ends_of_epochs(std::vector<EpochEndPartition> partitions, Done<std::vector<EpochEndAnswer>> done) {
  ask(*impl_, std::move(partitions), std::move(done), &PartitionHost::ends_of_epochs);
}

void TopicStore::log_sizes(std::vector<PartitionId> partitions, Done<std::vector<std::optional<std::uint64_t>>> done) {
  ask(*impl_, std::move(partitions), std::move(done), &PartitionHost::log_sizes);
}

void TopicStore::space(Done<Result<storage::Space>> done) {
  // A file system that does not answer holds up no other job. Not taken: the process is ending.
  (void)impl_->threads.submit(topics::log_key({}), [this, &home = here(), done = std::move(done)]() mutable {
    home.post([done = std::move(done), space = impl_->logs.space()]() mutable { done(std::move(space)); });
  });
}

// ---- internal topics ----

std::shared_ptr<storage::Log> TopicStore::internal_log(const PartitionId& id) {
  Partition* partition = impl_->places[reactor_of(id)]->host.find(id);
  return partition != nullptr && partition->is_foreign() ? partition->log() : nullptr;
}

std::uint64_t TopicStore::log_key(const PartitionId& id) {
  return topics::log_key(id);
}

void TopicStore::internal_durable(const PartitionId& id, std::int64_t end_offset) {
  impl_->places[here().index()]->host.foreign_durable(id, end_offset);
}

std::size_t TopicStore::reactor_of(const PartitionId& id) const {
  return impl_->reactor_of(id);
}

}  // namespace cohort::topics
