// Commits and reads offsets as members and tools do, keeps the ledger of it, and judges the answers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/types/error_code.h"
#include "tests/sim/ledger.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace cohort::sim {

// Who asks; without id: somebody who is no member.
struct Asker {
  std::string id;
  std::int32_t epoch = -1;  // or generation
  bool is_classic = false;  // a member of a classic group
};

class OffsetsClient {
 public:
  OffsetsClient(World& world, Server& server, Ledger& ledger) : world_(world), server_(server), ledger_(ledger) {}

  // topic: of Server::topics(), at present.
  void commit(const std::string& group, const Asker& asker, const coordinator::TopicView& topic,
              std::int32_t partition);
  void fetch(const std::string& group, const Asker& asker, const coordinator::TopicView& topic, std::int32_t partition);
  void remove(const std::string& group, const coordinator::TopicView& topic, std::int32_t partition);

 private:
  World& world_;
  Server& server_;
  Ledger& ledger_;
};

// A reply does not arrive. Counts it.
bool is_lost(World& world, std::string_view what);
// Counts the answer. An error that is not among the expected ones is a violation.
void count_answer(World& world, std::string_view api, std::int16_t error,
                  std::initializer_list<protocol::ErrorCode> expected);
// The shard did not take the request at all: counts it. A code that clients do not retry on is a violation.
bool is_refused(World& world, std::string_view api, const coordinator::GroupResponse& response);

}  // namespace cohort::sim
