// What the tests of topics share: batches as clients make them, and a store on a disk in memory that can be restarted.
#pragma once

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "protocol/batch/batch_builder.h"
#include "protocol/wire/bytes.h"
#include "server/reactor/reactor_pool.h"
#include "server/storage/log_set.h"
#include "server/storage/log_threads.h"
#include "server/storage/mem_fs.h"
#include "server/topics/topic_store.h"

namespace cohort::topics {

struct Producer {
  std::int64_t id = protocol::kNoProducerId;
  std::int16_t epoch = protocol::kNoProducerEpoch;
  std::int32_t sequence = protocol::kNoSequence;
};

inline std::vector<std::byte> make_batch(int records, Producer producer = {}, std::int64_t timestamp_ms = 1000,
                                         std::size_t value_bytes = 10,
                                         protocol::Compression compression = protocol::Compression::kNone) {
  protocol::BatchBuilder builder;
  protocol::BatchOptions options;
  options.producer_id = producer.id;
  options.producer_epoch = producer.epoch;
  options.base_sequence = producer.sequence;
  options.compression = compression;
  builder.start(options);
  const std::vector<std::byte> value(value_bytes, std::byte{'v'});
  for (int i = 0; i < records; ++i) builder.append(timestamp_ms + i, value, value);
  const auto bytes = builder.finish();
  REQUIRE(bytes.has_value());
  return {bytes->begin(), bytes->end()};
}

inline FetchCall fetch_call(std::vector<FetchPartition> partitions, std::int32_t max_bytes = 1 << 20) {
  FetchCall call;
  call.max_bytes = max_bytes;
  call.partitions = std::move(partitions);
  return call;
}

inline protocol::Bytes as_bytes(std::vector<std::byte> bytes) {
  return protocol::Bytes::own(std::move(bytes));
}

inline ProduceCall produce_call(PartitionId id, std::vector<std::byte> batch, std::int16_t acks = -1) {
  ProduceCall call;
  call.acks = acks;
  call.version = 9;
  call.partitions.push_back({id, as_bytes(std::move(batch))});
  return call;
}

// A store on a disk, with its reactors and log threads. stop() is an orderly end, kill() one without a word.
class StoreHarness {
 public:
  explicit StoreHarness(storage::MemFs& fs, TopicStoreOptions options = {}, std::size_t reactors = 2)
      : fs_(fs), options_(std::move(options)), reactors_(reactors) {}
  ~StoreHarness() { kill(); }

  Result<void> try_start() {
    storage::LogSetOptions set;
    set.dir = "/data";
    set.new_cluster_id = "AAAAAAAAAAAAAAAAAAAAAA";
    auto logs = storage::LogSet::open(fs_, set);
    if (!logs) return std::unexpected(logs.error());
    logs_ = std::move(*logs);
    pool_ = std::make_unique<reactor::ReactorPool>(reactors_);
    threads_ = std::make_unique<storage::LogThreads>(2);
    auto store = TopicStore::open(
        *pool_, fs_, *logs_, *threads_, options_, [] { return protocol::Uuid(7, ++ids_); }, reactor::read_clocks());
    if (!store) {
      end();
      return std::unexpected(store.error());
    }
    store_ = std::move(*store);
    pool_->start();
    return {};
  }
  void start() {
    const auto started = try_start();
    INFO((started ? std::string() : started.error().message));
    REQUIRE(started.has_value());
  }
  void stop() {
    pool_->stop();
    threads_->stop();
    const auto in_time = [] { return true; };
    store_->close(in_time);
    REQUIRE(logs_->close(in_time).has_value());
    end();
  }
  void kill() { end(); }

  TopicStore& store() { return *store_; }
  reactor::ReactorPool& pool() { return *pool_; }
  storage::LogSet& logs() { return *logs_; }
  storage::LogThreads& threads() { return *threads_; }

  // Jobs of this log wait from here on until go has its value.
  void hold(const PartitionId& id, std::promise<void>& go) {
    REQUIRE(threads_->submit(TopicStore::log_key(id), [wait = go.get_future().share()] { wait.wait(); }));
  }

  // Runs call(done) on that reactor and waits for what done is given.
  template <typename Answer, typename Call>
  std::future<Answer> begin(std::size_t reactor, Call call) {
    auto promise = std::make_shared<std::promise<Answer>>();
    auto future = promise->get_future();
    (*pool_)[reactor].post([promise, call = std::move(call)]() mutable {
      call([promise](Answer answer) { promise->set_value(std::move(answer)); });
    });
    return future;
  }
  static void get(std::future<void> future) {
    REQUIRE(future.wait_for(std::chrono::seconds{20}) == std::future_status::ready);
  }
  template <typename Answer>
  static Answer get(std::future<Answer> future) {
    REQUIRE(future.wait_for(std::chrono::seconds{20}) == std::future_status::ready);
    return future.get();
  }

  CreatedTopic create(CreateTopic topic, std::size_t reactor = 0) {
    return get(begin<std::vector<CreatedTopic>>(
                   reactor, [this, topic](auto done) { store_->create_topics({topic}, false, std::move(done)); }))
        .at(0);
  }
  CreatedTopic create(std::string name, std::int32_t partitions, decltype(CreateTopic::configs) configs = {}) {
    CreateTopic topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    topic.configs = std::move(configs);
    return create(std::move(topic));
  }
  protocol::ErrorCode set_config(const std::string& topic, const std::string& key, const std::string& value,
                                 std::size_t reactor = 0) {
    const AlterConfigs change{.name = topic, .changes = {{key, ConfigOp::kSet, value}}};
    return get(begin<std::vector<TopicOutcome>>(
                   reactor, [this, change](auto done) { store_->alter_configs({change}, false, std::move(done)); }))
        .at(0)
        .error;
  }
  DeletedTopic remove(std::string name, std::size_t reactor = 1) {
    return get(begin<std::vector<DeletedTopic>>(
                   reactor, [this, name](auto done) { store_->delete_topics({{name, {}}}, std::move(done)); }))
        .at(0);
  }
  std::future<std::vector<ProducedPartition>> begin_produce(ProduceCall call, std::size_t reactor = 0) {
    return begin<std::vector<ProducedPartition>>(reactor, [this, call = std::move(call)](auto done) mutable {
      store_->produce(std::move(call), std::move(done));
    });
  }
  std::vector<ProducedPartition> produce(ProduceCall call, std::size_t reactor = 0) {
    return get(begin_produce(std::move(call), reactor));
  }
  ProducedPartition produce(PartitionId id, std::vector<std::byte> batch, std::int16_t acks = -1) {
    return produce(produce_call(id, std::move(batch), acks)).at(0);
  }
  std::vector<FetchedPartition> fetch(FetchCall call, std::size_t reactor = 0) {
    return get(begin_fetch(std::move(call), reactor));
  }
  std::future<std::vector<FetchedPartition>> begin_fetch(FetchCall call, std::size_t reactor = 0) {
    return begin<std::vector<FetchedPartition>>(reactor, [this, call = std::move(call)](auto done) mutable {
      store_->fetch(std::move(call), std::move(done));
    });
  }
  std::vector<ListedOffset> list(ListOffsetsCall call, std::size_t reactor = 0) {
    return get(begin<std::vector<ListedOffset>>(reactor, [this, call = std::move(call)](auto done) mutable {
      store_->list_offsets(std::move(call), std::move(done));
    }));
  }
  Result<std::int64_t> producer_id(std::size_t reactor) {
    return get(
        begin<Result<std::int64_t>>(reactor, [this](auto done) { store_->allocate_producer_id(std::move(done)); }));
  }

 private:
  void end() {
    if (pool_) pool_->stop();
    if (threads_) threads_->stop();
    store_.reset();
    threads_.reset();
    pool_.reset();
    logs_.reset();
  }

  storage::MemFs& fs_;
  TopicStoreOptions options_;
  std::size_t reactors_;
  static inline std::atomic<std::uint64_t> ids_{0};  // of all stores on a disk
  std::unique_ptr<storage::LogSet> logs_;
  std::unique_ptr<reactor::ReactorPool> pool_;
  std::unique_ptr<storage::LogThreads> threads_;
  std::unique_ptr<TopicStore> store_;
};

}  // namespace cohort::topics
