// A map from an id (a Strong string) to a value, in order of ids and found by hash. Every request looks up its group
// and its member; in a tree that costs a cache miss for each level, and was a seventh of what a steady heartbeat takes.
// The order is there for what lists, dumps and replays (see the contract in coordinator.h): the hash never shows.
// Not for other threads. References and iterators stay valid until their element is erased.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "protocol/base/seeded_hash.h"

namespace cohort::coordinator {

template <typename Id, typename Value>
class IdMap {
 public:
  using Ordered = std::map<Id, Value, std::less<>>;
  using iterator = typename Ordered::iterator;
  using const_iterator = typename Ordered::const_iterator;

  IdMap() = default;
  IdMap(const IdMap& other) : ordered_(other.ordered_) { index_all(); }
  IdMap(IdMap&&) noexcept = default;  // elements stay where they are, and so do the ids that the index looks at
  IdMap& operator=(IdMap other) noexcept {
    std::swap(ordered_, other.ordered_);
    std::swap(index_, other.index_);
    return *this;
  }
  ~IdMap() = default;

  bool empty() const { return ordered_.empty(); }
  std::size_t size() const { return ordered_.size(); }
  iterator begin() { return ordered_.begin(); }
  iterator end() { return ordered_.end(); }
  const_iterator begin() const { return ordered_.begin(); }
  const_iterator end() const { return ordered_.end(); }
  const_iterator lower_bound(std::string_view id) const { return ordered_.lower_bound(id); }

  bool contains(std::string_view id) const { return index_.contains(id); }
  const_iterator find(std::string_view id) const {
    const auto found = index_.find(id);
    return found != index_.end() ? const_iterator(found->second) : ordered_.end();
  }
  iterator find(std::string_view id) {
    const auto found = index_.find(id);
    return found != index_.end() ? found->second : ordered_.end();
  }

  // A new element is made by the default constructor.
  Value& operator[](std::string_view id) {
    const auto found = index_.find(id);
    if (found != index_.end()) return found->second->second;
    const auto made = ordered_.try_emplace(Id(typename Id::ValueType(id))).first;
    index_.emplace(made->first.value(), made);
    return made->second;
  }
  void erase(const_iterator element) {
    index_.erase(element->first.value());
    ordered_.erase(element);
  }

 private:
  void index_all() {
    for (auto element = ordered_.begin(); element != ordered_.end(); ++element) {
      index_.emplace(element->first.value(), element);
    }
  }

  Ordered ordered_;
  std::unordered_map<std::string_view, iterator, SeededHash> index_;  // clients choose the ids
};

}  // namespace cohort::coordinator
