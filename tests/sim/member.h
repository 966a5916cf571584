// A model of a consumer: joins, heartbeats, confirms assignments, commits and reads offsets; and does what consumers do
// at night: dies silently, pauses beyond its session, leaves, loses replies and asks again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "server/coordinator/core/request.h"
#include "tests/sim/ledger.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Member {
 public:
  Member(World& world, Server& server, Ledger& ledger, std::string group, std::string name);

  void start();

 private:
  using Partitions = std::map<protocol::TopicId, std::vector<std::int32_t>>;

  void later(Duration delay);
  void live();  // one turn of its poll loop
  void heartbeat(std::int32_t epoch);
  void on_heartbeat(std::int32_t sent_epoch, const coordinator::GroupResponse& response);
  void forget();
  void commit();
  void on_commit(const Ledger::Key& key, std::int64_t offset, const coordinator::GroupResponse& response);
  void fetch();
  bool is_lost(const char* what);
  void count_error(const char* api, std::int16_t code);

  World& world_;
  Server& server_;
  Ledger& ledger_;
  const std::string group_;
  const std::string name_;
  std::string id_;
  int lives_ = 0;
  std::int32_t epoch_ = 0;  // 0: not joined
  Partitions owned_;
  bool confirm_ = false;       // owned_ changed and the server does not know
  std::uint64_t request_ = 0;  // the heartbeat that is waited for; late replies to others are ignored
  bool is_waiting_ = false;
};

}  // namespace cohort::sim
