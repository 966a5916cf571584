// What clients know of committed offsets: an acknowledged one is never lost, and nothing is read that nobody sent.
// A client's commits of one partition grow and reach the server in order, so what is read lies between the last
// acknowledged one and the last attempted one, whatever crashed in between.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "tests/sim/world.h"

namespace cohort::sim {

class Ledger {
 public:
  struct Key {
    std::string group;
    std::string topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };

  std::int64_t next(const Key& key) { return ++entries_[key].attempted; }
  void acknowledged(const Key& key, std::int64_t offset) {
    auto& entry = entries_[key];
    entry.acknowledged = std::max(entry.acknowledged, offset);
  }
  std::int64_t last_acknowledged(const Key& key) { return entries_[key].acknowledged; }
  // least: last_acknowledged() when the fetch was sent.
  void read(const Key& key, std::int64_t least, std::int64_t offset) {
    if (offset >= least && offset <= entries_[key].attempted) return;
    throw Violation(fmt::format("{} {}-{}: read {}, acknowledged {}, attempted {}", key.group, key.topic, key.partition,
                                offset, least, entries_[key].attempted));
  }

 private:
  struct Entry {
    std::int64_t acknowledged = -1;
    std::int64_t attempted = -1;
  };
  std::map<Key, Entry> entries_;
};

}  // namespace cohort::sim
