// A model of a consumer: joins, heartbeats, confirms assignments, commits and reads offsets; and does what consumers do
// at night: dies silently, pauses beyond its session, leaves, loses replies and asks again, comes late with old epochs.
// Some name their topics, some give a regular expression, some have an instance id and leave for a while.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/coordinator/core/request.h"
#include "tests/sim/classic_member.h"
#include "tests/sim/offsets_client.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Member {
 public:
  // Of the same group; for the rule that a partition is given to one only after the other gave it up (C3).
  using Peers = std::vector<const Member*>;
  using ClassicPeers = std::vector<const ClassicMember*>;

  // night: members stay away while it is set. Both peers outlive the member.
  Member(World& world, Server& server, OffsetsClient& offsets, const Peers& peers, const ClassicPeers& classic_peers,
         const bool& night, std::string group, std::string name);

  void start();

 private:
  using Partitions = std::map<protocol::TopicId, std::vector<std::int32_t>>;

  void later(Duration delay);
  void live();  // one turn of its poll loop
  bool meet_fate();
  void use_offsets();
  void leave();
  coordinator::ConsumerHeartbeat make_heartbeat(std::int32_t epoch) const;
  void subscribe(protocol::ConsumerGroupHeartbeatRequest& request);
  void heartbeat(std::int32_t epoch);
  void on_heartbeat(std::int32_t sent_epoch, const coordinator::GroupResponse& response);
  void take(const protocol::ConsumerGroupHeartbeatResponse::Assignment& assignment);
  void send_late(std::int32_t epoch);
  void forget();

  World& world_;
  Server& server_;
  OffsetsClient& offsets_;
  const Peers& peers_;
  const ClassicPeers& classic_peers_;
  const bool& night_;
  const std::string group_;
  const std::string name_;
  const bool is_static_;
  std::optional<std::string> regex_;  // else by name

  std::string id_;
  int lives_ = 0;
  std::int32_t epoch_ = 0;  // 0: not joined
  std::int32_t old_epoch_ = 0;
  Partitions owned_;
  bool tell_all_ = false;      // a reply is missing: what the server knows of this member is not known
  bool confirm_ = false;       // owned_ changed and the server does not know
  std::uint64_t request_ = 0;  // the heartbeat that is waited for; late replies to others are ignored
  bool is_waiting_ = false;
};

}  // namespace cohort::sim
