// What clients know of committed offsets: an acknowledged one is never lost, nothing is read that nobody sent, and
// "none" only where somebody deleted, or the rules let it expire (O1-O4, O6, O8 of the invariants).
//
// Every attempt to commit or to delete gets a number that only grows; the number of a commit is the offset that it
// commits. Requests reach a shard in the order they are sent. So what is read lies between the last change of the
// partition that is known to be durable (its floor) and the last one attempted, whatever crashed in between.
// Keys have topic ids: what belongs to a deleted topic is another key than what its successor has.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "protocol/types/ids.h"

namespace cohort::sim {

class Ledger {
 public:
  struct Key {
    std::string group;
    protocol::TopicId topic;
    std::int32_t partition = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  // What was known when a fetch was sent.
  struct Mark {
    std::int64_t floor = 0;      // 0: nothing
    std::int64_t attempted = 0;  // the last change that reached the server before the fetch
    std::int64_t removed = 0;    // tombstones in the log have removed all up to this one
  };

  // Returns the offset to commit.
  std::int64_t commit(const Key& key);
  // An attempt to delete. Returns its number.
  std::int64_t remove(const Key& key);
  // The same for all that the group ever had.
  std::int64_t remove_group(const std::string& group);
  // The attempt succeeded.
  void done(const Key& key, std::int64_t number);
  void group_removed(const std::string& group, std::int64_t number);
  // The attempt was refused: it changed nothing.
  void refused(const Key& key, std::int64_t number);
  void group_not_removed(const std::string& group, std::int64_t number);

  Mark mark(const Key& key) const;
  // A fetch showed this; -1: none.
  void read(const Key& key, const Mark& mark, std::int64_t offset);

  // The log has a tombstone for what was committed as `number`. was_asked_to_remove: a client wanted it.
  bool was_asked_to_remove(const Key& key, std::int64_t number) const;
  void tombstone(const Key& key, std::int64_t number);

 private:
  struct Entry {
    std::set<std::int64_t> commits;
    std::set<std::int64_t> removals;
    std::int64_t floor = 0;
    std::int64_t removed = 0;
  };
  template <typename Visit>
  void for_group(const std::string& group, Visit&& visit);

  std::map<Key, Entry> entries_;
  std::int64_t last_ = 0;
};

}  // namespace cohort::sim
