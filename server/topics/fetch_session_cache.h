// The fetch sessions of one reactor (Kafka: FetchManager, FetchSessionCacheShard). Pure; owned by the TopicStoreImpl,
// touched on its reactor alone: a session belongs to the reactor that made it, and its id says which one that is. So no
// lock lies in the way of a fetch, and a session's partitions are never touched by two threads.
//
// A client that goes on with its session through a connection of another reactor is told FETCH_SESSION_ID_NOT_FOUND and
// starts anew with its next request. That happens when it has lost its connection, and then the Java client asks for a
// new session anyway. Why not a hop to the session: every fetch would have two ways, for a case that costs one request.
//
// Bounds: so many sessions, and so many partitions in all of them together (FetchSession::weight). A request over them
// is answered with session id 0, which makes its client send full requests, as without sessions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <list>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>

#include "protocol/base/time.h"
#include "protocol/types/error_code.h"
#include "server/topics/fetch_session.h"

namespace cohort::topics {

struct FetchSessionLimits {
  // A session that was not used for so long gives way to any other; one that is at least so old gives way to a larger
  // one (KafkaBroker.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS).
  static constexpr Duration kEvictionAge = std::chrono::minutes{2};
  // For each slot of max.incremental.fetch.session.cache.slots. With its default of 1,000 at most 256,000 partitions
  // are kept, 36 MB; 130 MB if each of them is of another topic and all names are as long as they may be.
  static constexpr std::size_t kPartitionsPerSlot = 256;

  std::size_t sessions = 0;  // 0: there are none
  std::size_t weight = 0;

  // The share of one of so many reactors.
  static FetchSessionLimits share(std::int32_t slots, std::size_t reactor, std::size_t reactors);
};

class FetchSessionCache {
 public:
  // seed: differs from start to start. Ids count up from a place that it gives, so that a session of a former process
  // does not meet another one's by chance.
  FetchSessionCache(std::size_t reactor, std::size_t reactors, FetchSessionLimits limits, std::uint64_t seed);

  // Whose session this is, of so many reactors; any number is an answer.
  static std::size_t reactor_of(std::int32_t id, std::size_t reactors);

  // The session that a request goes on with: FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, or
  // FETCH_SESSION_TOPIC_ID_ERROR when it names topics in the other way. Changes nothing.
  std::expected<std::shared_ptr<FetchSession>, protocol::ErrorCode> find(std::int32_t id, std::int32_t epoch,
                                                                         bool by_id) const;
  // Whether a session of so many partitions can be added; others may have to go for it. Asked before one is made.
  bool make_room(std::size_t partitions, MonoTime now);
  // After make_room(). Returns its id; kNone if its names are too much.
  std::int32_t add(std::shared_ptr<FetchSession> session, MonoTime now);
  // A session of this cache was used and may have another size. False: it has grown over the limit and is closed.
  bool touch(FetchSession& session, MonoTime now);
  void close(std::int32_t id);  // nothing if there is no such session

  std::size_t size() const { return by_id_.size(); }
  std::size_t weight() const { return weight_; }

 private:
  using Sessions = std::list<std::shared_ptr<FetchSession>>;

  bool evict(std::size_t partitions, MonoTime now);
  void remove(FetchSession& session);
  void count(FetchSession& session, MonoTime now);
  std::int32_t new_id();

  const FetchSessionLimits limits_;
  const std::int32_t first_id_;
  const std::int32_t id_count_;
  std::int32_t next_id_;    // counted from first_id_
  std::size_t weight_ = 0;  // of all
  Sessions sessions_;       // the one that was not used for longest first
  std::unordered_map<std::int32_t, FetchSession*> by_id_;
  std::set<std::pair<std::size_t, std::int32_t>> old_;  // weight and id of those that may give way to larger ones
};

}  // namespace cohort::topics
