// Deadlines by key, the earliest first; equal deadlines in the order of their keys, so that a seed reproduces a run.
// Owned by ShardCore; pure. One entry per member and per group: a heartbeat does not come here (the coordinator
// compares the deadline in its own state when the timer fires), so plain trees are fast enough.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "protocol/base/time.h"

namespace cohort::runtime {

template <typename Key>
class TimerQueue {
 public:
  TimerQueue() = default;
  TimerQueue(const TimerQueue&) = delete;  // entries point at each other
  TimerQueue& operator=(const TimerQueue&) = delete;

  // Replaces the key's former deadline.
  void set(const Key& key, MonoTime deadline) {
    const auto [at, is_new] = deadlines_.try_emplace(key, deadline);
    if (!is_new) {
      if (at->second == deadline) return;
      order_.erase(Entry{at->second, &at->first});
      at->second = deadline;
    }
    order_.insert(Entry{deadline, &at->first});
  }
  void cancel(const Key& key) {
    const auto at = deadlines_.find(key);
    if (at == deadlines_.end()) return;
    order_.erase(Entry{at->second, &at->first});
    deadlines_.erase(at);
  }
  // The earliest whose deadline is not after `now`; it is gone from the queue then.
  std::optional<Key> pop_due(MonoTime now) {
    if (order_.empty() || order_.begin()->deadline > now) return std::nullopt;
    const auto at = deadlines_.find(*order_.begin()->key);
    order_.erase(order_.begin());
    return std::move(deadlines_.extract(at).key());
  }
  std::optional<MonoTime> next_deadline() const {
    if (order_.empty()) return std::nullopt;
    return order_.begin()->deadline;
  }
  std::size_t size() const { return deadlines_.size(); }
  void clear() {
    order_.clear();
    deadlines_.clear();
  }

 private:
  struct Entry {
    MonoTime deadline;
    const Key* key;  // in deadlines_
    friend bool operator<(const Entry& a, const Entry& b) {
      if (a.deadline != b.deadline) return a.deadline < b.deadline;
      return *a.key < *b.key;
    }
  };

  std::map<Key, MonoTime> deadlines_;
  std::set<Entry> order_;
};

}  // namespace cohort::runtime
