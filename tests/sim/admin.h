// What comes from outside of groups: tools that list, describe and delete, and clients that commit without being
// members, to groups of their own (simple groups) and to those of others.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/ledger.h"
#include "tests/sim/offsets_client.h"
#include "tests/sim/server.h"
#include "tests/sim/world.h"

namespace cohort::sim {

class Admin {
 public:
  // groups: with members. While night is set, little happens. The simple groups are made here.
  Admin(World& world, Server& server, Ledger& ledger, OffsetsClient& offsets, const bool& night,
        const std::vector<std::string>& groups);

  void start() { later(); }

 private:
  void later();
  void act();
  void list();
  void describe(const std::string& group);
  void describe_classic(const std::string& group);
  void remove_group(const std::string& group);

  World& world_;
  Server& server_;
  Ledger& ledger_;
  OffsetsClient& offsets_;
  const bool& night_;
  std::vector<std::string> groups_;  // of both kinds
};

}  // namespace cohort::sim
