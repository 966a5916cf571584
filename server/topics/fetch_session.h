// One incremental fetch session (KIP-227): the partitions that a consumer goes on fetching, so that its requests name
// only what changes and its answers only what is new. Pure. Owned by a FetchSessionCache and by the fetch that is under
// way, on one reactor; gone with the process, as in Kafka: a session is no promise, a client can always start anew.
//
// The order of the partitions is the order in which they share the bytes of an answer. One that had records goes to the
// end, so that a busy partition does not starve those behind it (FetchContext.IncrementalFetchContext).
//
// Memory: about 140 bytes for each partition and 110 for each topic, and its name where that is longer than 27 bytes.
// What a client may put into it is measured by weight().
// Why a list and an index of its nodes: moving to the end, finding and forgetting are each one step, and nothing moves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <list>
#include <memory>
#include <unordered_map>

#include "protocol/base/seeded_hash.h"
#include "protocol/base/time.h"
#include "protocol/types/uuid.h"
#include "protocol/wire/text.h"
#include "server/topics/topic_requests.h"

namespace cohort::topics {

// A topic as the client names it: by id from Fetch v13 on, by name before. The other of the two stays empty.
struct FetchTopic {
  protocol::Uuid id;
  protocol::Text name;
  friend bool operator==(const FetchTopic&, const FetchTopic&) = default;
};

// What the client wants of a partition, by its last word.
struct FetchWish {
  std::int32_t partition = 0;
  std::int32_t max_bytes = 0;
  std::int64_t fetch_offset = 0;
  std::int32_t current_leader_epoch = -1;
  std::int32_t last_fetched_epoch = -1;
};

class FetchSession {
 public:
  static constexpr std::int32_t kNone = 0;             // the id in requests and answers without a session
  static constexpr std::int32_t kInitialEpoch = 0;     // of a request that opens a session
  static constexpr std::int32_t kFinalEpoch = -1;      // of a request that closes one or wants none
  static std::int32_t next_epoch(std::int32_t epoch);  // FetchMetadata.nextEpoch: behind the largest comes 1

  struct Topic {
    const FetchTopic* named = nullptr;
    protocol::Text known_name;  // of an id: the topic's name when it was last there; empty when it never was
    std::size_t partitions = 0;
  };
  struct Partition {
    Topic* topic = nullptr;
    FetchWish wish;
    // What the client knows by the last answer that named the partition.
    std::int64_t high_watermark = -1;
    std::int64_t log_start_offset = -1;
  };

  // by_id: how it names topics, for its whole life. A new session is one request old.
  explicit FetchSession(bool by_id) : by_id_(by_id) {}
  FetchSession(const FetchSession&) = delete;  // its parts point at each other
  FetchSession& operator=(const FetchSession&) = delete;

  std::int32_t id() const { return id_; }  // kNone until it is in a cache
  bool by_id() const { return by_id_; }
  std::int32_t epoch() const { return epoch_; }  // that the next request must carry
  void advance() { epoch_ = next_epoch(epoch_); }
  std::size_t size() const { return partitions_.size(); }
  bool empty() const { return partitions_.empty(); }
  // Its size, and one more for every 128 bytes of a name that the client gave: such names need not be topics'.
  std::size_t weight() const { return partitions_.size() + name_weight_; }

  // ---- requests ----
  // Adds the partition at the end, or changes what is wanted of it in its place. Copies the name.
  Partition& put(const FetchTopic& topic, const FetchWish& wish);
  void forget(const FetchTopic& topic, std::int32_t partition);

  // ---- answers ----
  // Calls visit(Partition&) for each, in order.
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (Partition& partition : partitions_) visit(partition);
  }
  // What was found: asks found(const Partition&) -> FetchedPartition& for each partition in order, and calls
  // tell(const Partition&, FetchedPartition&) for those that the client has to hear of.
  template <typename Found, typename Tell>
  void answer(Found&& found, Tell&& tell) {
    auto next = partitions_.begin();
    for (std::size_t left = partitions_.size(); left > 0; --left) {
      const auto here = next++;
      FetchedPartition& fetched = found(*here);
      if (!note(*here, fetched)) continue;
      const bool has_records = !fetched.records.empty();
      tell(*here, fetched);
      if (has_records) partitions_.splice(partitions_.end(), partitions_, here);
    }
  }
  // The client is told this; true if that is news to it (FetchSession.CachedPartition.maybeUpdateResponseData).
  static bool note(Partition& partition, const FetchedPartition& fetched);

 private:
  friend class FetchSessionCache;
  using Partitions = std::list<Partition>;
  struct TopicHash {
    std::size_t operator()(const FetchTopic& topic) const noexcept {
      const std::array id{topic.id.high(), topic.id.low()};
      return seeded_hash(id.data(), sizeof(id)) ^ SeededHash {}(topic.name.view());
    }
  };
  struct Key {
    const Topic* topic = nullptr;
    std::int32_t partition = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<const Topic*>{}(key.topic) ^ SeededHash {}(key.partition);
    }
  };

  static std::size_t weight_of(const protocol::Text& name) { return name.size() / 128; }
  // Null when no partition of it is here. Requests name partitions topic by topic, so the last one is tried first.
  Topic* find(const FetchTopic& topic);

  const bool by_id_;
  std::int32_t epoch_ = next_epoch(kInitialEpoch);
  Partitions partitions_;
  std::unordered_map<FetchTopic, Topic, TopicHash> topics_;  // those with partitions here; nodes never move
  Topic* last_topic_ = nullptr;
  std::size_t name_weight_ = 0;
  std::unordered_map<Key, Partitions::iterator, KeyHash> index_;

  // The cache's.
  std::int32_t id_ = kNone;
  MonoTime created_{};
  MonoTime last_used_{};
  std::size_t counted_ = 0;  // of its weight
  bool is_old_ = false;      // it may give way to a larger one
  std::list<std::shared_ptr<FetchSession>>::iterator place_;
};

}  // namespace cohort::topics
