// The simulated server: real shard cores and group coordinators on real logs, on a disk that fails and forgets. It does
// what Shard does, with events instead of threads: a write is two events, so that a crash can come between.
//
// After everything that a log makes durable, a shadow that was fed the log's records alone must equal the live state.
// The shadow outlives crashes: what was durable once is never gone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/group_config.h"
#include "server/coordinator/core/coordinator.h"
#include "server/runtime/group_family.h"
#include "server/runtime/shard_core.h"
#include "server/storage/log_set.h"
#include "server/storage/mem_fs.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Server {
 public:
  using OnReply = std::function<void(const coordinator::GroupResponse&)>;

  Server(World& world, config::GroupConfig config, std::int32_t shards);
  ~Server();

  // Opens the logs and loads.
  void start();
  // The process dies; with power_loss the machine does, and any unsynced change may be lost.
  void crash(bool power_loss);
  bool is_up() const { return logs_ != nullptr; }
  // The next write or sync fails, or the disk is full for a while.
  void break_disk();
  void set_topics(std::shared_ptr<const coordinator::MetadataView> topics);
  const coordinator::MetadataView& topics() const { return *topics_; }

  // The reply comes later, at most once, and never after a crash.
  void request(std::string_view group, coordinator::GroupRequest request, OnReply on_reply);

 private:
  using Core = runtime::ShardCore<runtime::GroupFamily>;
  struct Shard;

  // Runs `then` after the delay if the server has not crashed meanwhile.
  void after(Duration delay, std::function<void()> then);
  void act(Shard& shard);
  void end_turn(Shard& shard);
  void write(Shard& shard, runtime::ShardWrite write);
  void read(Shard& shard, runtime::ShardRead read);
  void arm(Shard& shard);
  void feed_shadow(Shard& shard);
  void check(Shard& shard);

  World& world_;
  const config::GroupConfig config_;
  storage::MemFs fs_;
  std::unique_ptr<coordinator::IdSource> ids_;
  std::shared_ptr<const coordinator::MetadataView> topics_;
  std::unique_ptr<storage::LogSet> logs_;  // null: down
  std::vector<std::unique_ptr<Shard>> shards_;
  std::uint64_t life_ = 0;
  std::uint64_t next_call_ = 0;
};

}  // namespace cohort::sim
