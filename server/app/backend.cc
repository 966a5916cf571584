#include "server/app/backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <latch>
#include <thread>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/app/metadata_adapter.h"
#include "server/runtime/random_ids.h"
#include "server/storage/log.h"
#include "server/topics/topic_name.h"

namespace cohort::app {
namespace {

std::size_t cores() {
  return std::max(1U, std::thread::hardware_concurrency());
}

// Whether less than this has passed since now.
auto within(std::chrono::milliseconds limit) {
  return [deadline = std::chrono::steady_clock::now() + limit] { return std::chrono::steady_clock::now() < deadline; };
}

std::size_t reactor_count(const config::ServerConfig& config) {
  return config.reactors > 0 ? static_cast<std::size_t>(config.reactors) : cores();
}

std::size_t log_thread_count(const config::ServerConfig& config) {
  if (config.log_threads > 0) return static_cast<std::size_t>(config.log_threads);
  return std::clamp<std::size_t>(reactor_count(config), 2, 64);
}

topics::TopicStoreOptions topic_options(const config::ServerConfig& config, std::uint64_t max_partitions) {
  topics::TopicStoreOptions options;
  options.max_partitions = static_cast<std::int32_t>(std::min<std::uint64_t>(options.max_partitions, max_partitions));
  options.node_id = config.node_id;
  options.defaults = config.topics;
  options.cleaner = config.cleaner;
  options.group = config.group;
  options.offsets_partitions = config.offsets_topic.num_partitions > 0
                                   ? config.offsets_topic.num_partitions
                                   : static_cast<std::int32_t>(std::max<std::size_t>(4, 2 * cores()));
  options.offsets_segment_bytes = config.offsets_topic.segment_bytes;
  options.offsets_durability = config.offsets_topic.durability;
  options.verify_logs_on_start = config.verify_logs_on_start;
  options.producer_id_expiration = config.producer_id_expiration;
  options.fetch_max_bytes = config.fetch_max_bytes;
  options.fetch_session_slots = config.fetch_session_slots;
  return options;
}

}  // namespace

Backend::Backend(const config::Loaded& loaded, storage::Fs& fs, std::uint64_t max_partitions)
    : loaded_(loaded),
      config_(loaded.config),
      fs_(fs),
      max_partitions_(max_partitions),
      reactors_(reactor_count(config_)),
      log_threads_(log_thread_count(config_)),
      workers_(1),
      reply_memory_(std::make_shared<MemoryBudget>(config_.net.queued_max_reply_bytes)) {}

Result<void> Backend::open() {
  auto ids = std::make_shared<runtime::RandomIds>();
  const std::string cluster_id = config_.cluster_id.empty() ? ids->next_uuid().to_string() : config_.cluster_id;
  auto logs =
      storage::LogSet::open(fs_, {.dir = config_.log_dir, .node_id = config_.node_id, .new_cluster_id = cluster_id});
  if (!logs) return std::unexpected(logs.error());
  logs_ = *std::move(logs);
  if (!config_.cluster_id.empty() && logs_->cluster_id() != config_.cluster_id) {
    log::warn("Config", "cohort.cluster.id={} has no effect: the data folder was made with {}", config_.cluster_id,
              logs_->cluster_id());
  }
  auto topics = topics::TopicStore::open(
      reactors_, fs_, *logs_, log_threads_, topic_options(config_, max_partitions_), [ids] { return ids->next_uuid(); },
      reactor::read_clocks());
  if (!topics) return std::unexpected(topics.error());
  topics_ = *std::move(topics);
  return open_shards();
}

Result<void> Backend::open_shards() {
  const auto snapshot = topics_->snapshot();
  const topics::TopicInfo* offsets = snapshot->find(topics::kConsumerOffsetsTopic);
  CHECK(offsets != nullptr, "the topic store made no __consumer_offsets");
  const std::int32_t wanted = config_.offsets_topic.num_partitions;
  if (wanted > 0 && wanted != offsets->partitions) {
    log::warn("Config", "offsets.topic.num.partitions={} has no effect: the data folder was made with {}", wanted,
              offsets->partitions);
  }
  shard_config_ = config::share_of(config_.group, offsets->partitions);
  const auto metadata = metadata_view(*snapshot);
  std::vector<runtime::GroupShard*> by_partition;
  for (std::int32_t partition = 0; partition < offsets->partitions; ++partition) {
    const topics::PartitionId id{offsets->id, partition};
    shard_logs_.push_back(topics_->internal_log(id));
    CHECK(shard_logs_.back() != nullptr, "a partition of __consumer_offsets has no log");
    runtime::ShardPlace place{.name = fmt::format("{}-{}", topics::kConsumerOffsetsTopic, partition),
                              .reactor = reactors_[topics_->reactor_of(id)],
                              .log = *shard_logs_.back(),
                              .leader_epoch = snapshot->leader_epoch(*offsets),
                              .log_threads = log_threads_,
                              .log_key = topics::TopicStore::log_key(id),
                              .workers = workers_,
                              .ending = ending_.get_token(),
                              .on_durable = [this, id](std::int64_t end) { topics_->internal_durable(id, end); }};
    shards_.push_back(std::make_unique<runtime::GroupShard>(std::move(place), shard_config_, runtime::ShardLimits{},
                                                            std::make_unique<runtime::RandomIds>(), metadata));
    by_partition.push_back(shards_.back().get());
  }
  router_ = std::make_unique<runtime::GroupRouter>(std::move(by_partition));
  topics_->on_snapshot([this](const std::shared_ptr<const topics::CatalogueSnapshot>& changed) {
    const auto view = metadata_view(*changed);
    for (const auto& shard : shards_) shard->metadata_changed(view);
  });
  services_ = std::make_unique<api::Services>(api::Services{
      .config = loaded_, .topics = *topics_, .groups = *router_, .advertised = {}, .reply_memory = reply_memory_});
  return {};
}

void Backend::start() {
  reactors_.start();
  for (const auto& shard : shards_) shard->start();
}

void Backend::finish(std::chrono::milliseconds limit) {
  finished_ = true;
  ending_.request_stop();
  topics_->end_waiting();
  auto drained = std::make_shared<std::latch>(static_cast<std::ptrdiff_t>(shards_.size()));
  for (const auto& shard : shards_) shard->stop([drained] { drained->count_down(); });
  const auto in_time = within(limit);
  while (!drained->try_wait() && in_time()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (!drained->try_wait()) log::warn("Server", "The disk does not take the last writes; ending without them");
}

Result<void> Backend::stop(std::chrono::milliseconds limit) {
  const auto in_time = within(limit);
  if (!finished_) finish(limit);
  reactors_.stop();
  // What is dropped was not answered.
  log_threads_.stop(limit);
  workers_.stop(std::chrono::milliseconds{0});
  reactors_.drop_undelivered();  // what the threads brought last: it holds partitions and logs
  topics_->close(in_time);
  auto closed = logs_->close(in_time);
  if (closed || !storage::is_disk_full(closed.error())) return closed;
  log::warn("Server", "{}; the next start reads more of its logs", closed.error().message);
  return {};
}

}  // namespace cohort::app
