// A model of a consumer of the classic protocol: joins, shares out when it leads, asks for its assignment, sends
// heartbeats, commits; and dies, pauses, leaves, loses answers and asks again. Some have an instance id.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/types/ids.h"
#include "server/coordinator/core/request.h"
#include "tests/sim/offsets_client.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class ClassicMember {
 public:
  // night: members stay away while it is set.
  ClassicMember(World& world, Server& server, OffsetsClient& offsets, const bool& night, std::string group,
                std::string name);

  void start();
  const std::string& id() const { return id_; }
  bool has(const protocol::TopicId& topic, std::int32_t partition) const;

 private:
  using Partitions = std::map<protocol::TopicId, std::vector<std::int32_t>>;
  enum class Phase : std::uint8_t { kOut, kJoining, kSyncing, kIn };

  void later(Duration delay);
  void live();  // one turn of its poll loop
  bool meet_fate();
  void use_offsets();
  void leave();
  void forget();
  void set_phase(Phase phase);
  void give_up_waiting();

  void join();
  void on_join(const coordinator::GroupResponse& response);
  void sync(const protocol::JoinGroupResponse& joined);
  void on_sync(const coordinator::GroupResponse& response);
  void heartbeat();
  void on_error(std::int16_t error);
  protocol::Bytes subscription() const;
  // The leader's: every partition of the topics that it knows to one of the members.
  std::vector<protocol::SyncGroupRequest::SyncGroupRequestAssignment> share_out(
      const protocol::JoinGroupResponse& joined) const;
  void take(const protocol::Bytes& assignment, bool by_leader);

  World& world_;
  Server& server_;
  OffsetsClient& offsets_;
  const bool& night_;
  const std::string group_;
  const std::string name_;
  const bool is_static_;
  const std::int16_t join_version_;

  Phase phase_ = Phase::kOut;
  std::string id_;                // empty: none yet
  std::int32_t generation_ = -1;  // of the last join that was answered
  std::int32_t old_generation_ = -1;
  int subscribed_ = 3;  // so many of the topics
  Partitions owned_;
  std::uint64_t request_ = 0;  // the one that is waited for; late answers to others are ignored
};

}  // namespace cohort::sim
