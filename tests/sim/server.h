// The simulated server: real shard cores and group coordinators on real logs, on a disk that fails and forgets. It does
// what Shard does, with events instead of threads: a write is two events, so that a crash can come between.
//
// After every turn the live state must obey the rules (rules.h) and, when all of it is durable, equal the shadow of the
// shard (shadow.h).
#pragma once

#include <cstddef>
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
#include "tests/sim/shadow.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Server {
 public:
  using OnReply = std::function<void(const coordinator::GroupResponse&)>;

  Server(World& world, config::GroupConfig config, Ledger& ledger, const Catalogue& catalogue, std::int32_t shards);
  ~Server();

  // Opens the logs and loads.
  void start();
  // The process dies; with power_loss the machine does, and any unsynced change may be lost.
  void crash(bool power_loss);
  bool is_up() const { return logs_ != nullptr; }
  // The next write or sync fails, or the disk is full for a while.
  void break_disk();
  // From the nth change of the disk on nothing works, until the crash.
  void stop_disk_after(std::uint64_t operations);
  // The catalogue has changed: the shards hear of it one after the other.
  void topics_changed();
  // What `api` knows.
  // As `api` knows them: each shard is given a view before `api` sees it.
  const coordinator::MetadataView& topics() const { return *api_view_; }
  bool is_newest(std::int64_t topics_version) const { return topics_version == catalogue_.view()->version(); }

  // The request reaches the shard a little later, in the order of the calls. The reply comes later still, at most once,
  // and never after a crash.
  void request(std::string_view group, const coordinator::GroupRequest& request, OnReply on_reply);
  // The same by number of shard, for requests that name no group.
  void request_of_shard(std::size_t number, const coordinator::GroupRequest& request, OnReply on_reply);
  std::size_t shards() const { return shards_.size(); }

  const Shadow& shadow_of(std::string_view group);
  // In the live state, durable or not.
  bool has_member(std::string_view group, std::string_view member);

 private:
  using Core = runtime::ShardCore<runtime::GroupFamily>;
  struct Shard;

  std::size_t shard_of(std::string_view group) const;
  // Runs `then` after the delay if the server has not crashed meanwhile.
  void after(Duration delay, std::function<void()> then);
  void act(Shard& shard);
  void end_turn(Shard& shard);
  void write(Shard& shard, runtime::ShardWrite write);
  void compact(Shard& shard);
  void read(Shard& shard, runtime::ShardRead read);
  void arm(Shard& shard);
  void note_state(Shard& shard);
  void check(Shard& shard);
  void check_answers(const Shard& shard) const;

  World& world_;
  const config::GroupConfig config_;
  const Catalogue& catalogue_;
  std::shared_ptr<const coordinator::MetadataView> api_view_;
  storage::MemFs fs_;
  std::unique_ptr<coordinator::IdSource> ids_;
  std::unique_ptr<storage::LogSet> logs_;  // null: down
  std::vector<std::unique_ptr<Shard>> shards_;
  std::uint64_t life_ = 0;
  std::uint64_t next_call_ = 0;
  std::map<std::string, MonoTime, std::less<>> heard_;  // when a heartbeat of the member last reached its shard
};

}  // namespace cohort::sim
