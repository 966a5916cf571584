#include "server/topics/fetch_session_cache.h"

#include <algorithm>
#include <limits>

#include "protocol/base/check.h"

namespace cohort::topics {

using protocol::ErrorCode;

namespace {

std::int32_t ids_per_reactor(std::size_t reactors) {
  return std::numeric_limits<std::int32_t>::max() / static_cast<std::int32_t>(reactors);
}

}  // namespace

FetchSessionLimits FetchSessionLimits::share(std::int32_t slots, std::size_t reactor, std::size_t reactors) {
  const auto all = static_cast<std::size_t>(std::max(slots, 0));
  const std::size_t sessions = all / reactors + (reactor < all % reactors ? 1 : 0);
  return {.sessions = sessions, .weight = sessions * kPartitionsPerSlot};
}

FetchSessionCache::FetchSessionCache(std::size_t reactor, std::size_t reactors, FetchSessionLimits limits,
                                     std::uint64_t seed)
    : limits_(limits),
      first_id_(static_cast<std::int32_t>(reactor) * ids_per_reactor(reactors)),
      id_count_(ids_per_reactor(reactors)),
      next_id_(static_cast<std::int32_t>((seed * 0x9e3779b97f4a7c15U >> 16U) % static_cast<std::uint64_t>(id_count_))) {
}

std::size_t FetchSessionCache::reactor_of(std::int32_t id, std::size_t reactors) {
  return std::min(static_cast<std::size_t>(std::max(id, 0) / ids_per_reactor(reactors)), reactors - 1);
}

std::expected<std::shared_ptr<FetchSession>, ErrorCode> FetchSessionCache::find(std::int32_t id, std::int32_t epoch,
                                                                                bool by_id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::unexpected(ErrorCode::kFetchSessionIdNotFound);
  const FetchSession& session = *found->second;
  if (session.epoch() != epoch) return std::unexpected(ErrorCode::kInvalidFetchSessionEpoch);
  if (session.by_id() != by_id) return std::unexpected(ErrorCode::kFetchSessionTopicIdError);
  return *session.place_;
}

bool FetchSessionCache::make_room(std::size_t partitions, MonoTime now) {
  if (partitions > limits_.weight) return false;
  while (by_id_.size() >= limits_.sessions || weight_ + partitions > limits_.weight) {
    if (!evict(partitions, now)) return false;
  }
  return true;
}

// FetchSessionCacheShard.tryEvict. No session is privileged: those are the followers'.
bool FetchSessionCache::evict(std::size_t partitions, MonoTime now) {
  if (sessions_.empty()) return false;
  if (now - sessions_.front()->last_used_ > FetchSessionLimits::kEvictionAge) {
    remove(*sessions_.front());
    return true;
  }
  if (old_.empty() || old_.begin()->first >= partitions) return false;
  remove(*by_id_.at(old_.begin()->second));
  return true;
}

std::int32_t FetchSessionCache::add(std::shared_ptr<FetchSession> session, MonoTime now) {
  FetchSession& added = *session;
  added.id_ = new_id();
  added.created_ = now;
  added.place_ = sessions_.insert(sessions_.end(), std::move(session));
  by_id_.emplace(added.id_, &added);
  const std::int32_t id = added.id_;
  return touch(added, now) ? id : FetchSession::kNone;
}

bool FetchSessionCache::touch(FetchSession& session, MonoTime now) {
  sessions_.splice(sessions_.end(), sessions_, session.place_);
  count(session, now);
  if (weight_ <= limits_.weight) return true;
  remove(session);
  return false;
}

void FetchSessionCache::close(std::int32_t id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) remove(*found->second);
}

// Notes size, age and use.
void FetchSessionCache::count(FetchSession& session, MonoTime now) {
  session.last_used_ = now;
  const bool is_old = now - session.created_ > FetchSessionLimits::kEvictionAge;
  if (session.counted_ == session.weight() && session.is_old_ == is_old) return;
  if (session.is_old_) old_.erase({session.counted_, session.id_});
  weight_ += session.weight() - session.counted_;
  session.counted_ = session.weight();
  session.is_old_ = is_old;
  if (is_old) old_.emplace(session.counted_, session.id_);
}

void FetchSessionCache::remove(FetchSession& session) {
  if (session.is_old_) old_.erase({session.counted_, session.id_});
  weight_ -= session.counted_;
  by_id_.erase(session.id_);
  sessions_.erase(session.place_);  // and with it the session, unless a fetch has it
}

std::int32_t FetchSessionCache::new_id() {
  CHECK(by_id_.size() < static_cast<std::size_t>(id_count_) - 1, "fewer sessions than ids");
  std::int32_t id = FetchSession::kNone;
  while (id == FetchSession::kNone || by_id_.contains(id)) {
    id = first_id_ + next_id_;
    next_id_ = (next_id_ + 1) % id_count_;
  }
  return id;
}

}  // namespace cohort::topics
