// A second coordinator that is fed what the log of a shard made durable, and nothing else. It outlives crashes: what
// was durable once is never gone. All that was durable at any time is what replies may show.
//
// It also judges the records: epochs never fall, and an offset only gets a tombstone when a client asked for it, its
// topic is gone, or its retention is over and nobody subscribes to it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "server/config/group_config.h"
#include "server/coordinator/core/coordinator.h"
#include "server/storage/log.h"
#include "tests/sim/catalogue.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Shadow {
 public:
  Shadow(World& world, const config::GroupConfig& config, Ledger& ledger, const Catalogue& catalogue, std::string name);

  // Reads what the log has made durable since, from its bytes and not from what the core says it wrote.
  void feed(const storage::Log& log);
  std::int64_t end() const { return end_; }
  const coordinator::GroupState& state() const { return coordinator_.state(); }
  // Called when the shard lets a reply go: what it shows was durable at some time.
  void check_shown(const coordinator::GroupResponse& response) const;

  // How often each came into being: when it is not there now and this has not grown, it was away all the time.
  struct Lives {
    bool is_there = false;
    std::uint64_t count = 0;
  };
  Lives group(const std::string& id) const;
  Lives member(const std::string& group, const std::string& id) const;

  // The last durable generation of a classic group. life: a group that was deleted and made again is another one.
  struct Generation {
    std::uint64_t life = 0;
    std::int32_t number = -1;  // -1: there is none
  };
  Generation generation(const std::string& group) const;
  // Did a durable record ever give the member this assignment in this generation?
  // In a consumer group: was the member at this epoch, or a later one, by a durable record?
  bool has_reached(const std::string& member, std::int32_t epoch) const;
  // Ever, by a durable record of a consumer group.
  bool was_assigned(const std::string& member, const protocol::TopicId& topic, std::int32_t partition) const {
    return assigned_.contains({member, topic, partition});
  }
  bool has_shared_out(const std::string& group, std::int32_t generation, const std::string& member,
                      const protocol::Bytes& assignment) const;

 private:
  void apply(const protocol::GroupRecord& record, std::int64_t offset);
  void judge_tombstone(const protocol::OffsetCommitRecord& record);
  void judge_classic(const protocol::GroupMetadataRecord& record);
  void judge_upgrades();
  bool may_expire(const protocol::OffsetCommitRecord& record, std::int64_t commit_timestamp_ms) const;
  void note(const protocol::GroupId& id);

  World& world_;
  const config::GroupConfig& config_;
  Ledger& ledger_;
  const Catalogue& catalogue_;
  const std::string name_;
  coordinator::GroupCoordinator coordinator_;
  std::int64_t end_ = 0;

  std::map<std::string, std::int32_t> epochs_;                     // of the groups that are there
  std::map<std::string, coordinator::ConsumerGroupState> states_;  // after the last feed
  std::set<std::string> touched_;                                  // by the present feed
  // Ever.
  std::map<std::string, std::int32_t> highest_epochs_;  // by group
  std::map<std::string, std::int32_t> member_epochs_;   // the highest, by member
  std::set<std::tuple<std::string, protocol::TopicId, std::int32_t>> assigned_;
  std::map<std::string, std::uint64_t> group_lives_;
  std::map<std::string, std::uint64_t> member_lives_;
  std::set<std::string> groups_;  // with offsets or members
  std::set<std::tuple<std::string, std::int32_t, std::string, std::string>> shared_out_;
  std::map<std::string, std::uint64_t> classic_lives_;
  std::map<std::string, std::int32_t> ended_;  // by the present feed: classic groups with members, and their generation
};

}  // namespace cohort::sim
