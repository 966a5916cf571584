#include "server/coordinator/classic/round.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "protocol/base/check.h"
#include "server/coordinator/classic/consumer_metadata.h"

namespace cohort::coordinator {

std::string_view to_string(ClassicGroupState state) {
  switch (state) {
    case ClassicGroupState::kEmpty:
      return "Empty";
    case ClassicGroupState::kPreparingRebalance:
      return "PreparingRebalance";
    case ClassicGroupState::kCompletingRebalance:
      return "CompletingRebalance";
    case ClassicGroupState::kStable:
      return "Stable";
  }
  return "";
}

protocol::Bytes RoundMember::metadata(std::string_view protocol) const {
  const auto found = std::ranges::find(protocols, protocol, [](const auto& known) { return known.name.view(); });
  return found != protocols.end() ? found->metadata : protocol::Bytes();
}

Round::Round(const protocol::GroupMetadataValue& stored)
    : state_(stored.members.empty() ? ClassicGroupState::kEmpty : ClassicGroupState::kStable),
      state_timestamp_ms_(stored.current_state_timestamp),
      generation_(stored.generation),
      protocol_type_(stored.protocol_type.str()) {
  if (stored.protocol) protocol_ = stored.protocol->str();
  for (const auto& from : stored.members) {
    RoundMember member;
    member.id = protocol::MemberId(from.member_id.str());
    if (from.group_instance_id) member.instance_id = protocol::InstanceId(from.group_instance_id->str());
    member.client_id = from.client_id.str();
    member.client_host = from.client_host.str();
    member.rebalance_timeout_ms = from.rebalance_timeout == -1 ? from.session_timeout : from.rebalance_timeout;
    member.session_timeout_ms = from.session_timeout;
    if (stored.protocol) member.protocols.push_back({.name = *stored.protocol, .metadata = from.subscription});
    member.assignment = from.assignment;
    add(std::move(member), protocol_type_);
  }
  if (stored.leader && find(*stored.leader) != nullptr) leader_ = protocol::MemberId(stored.leader->str());
  subscribed_topics_ = read_subscribed_topics();
}

void Round::enter(ClassicGroupState state, std::int64_t wall_ms) {
  is_initial_ = state == ClassicGroupState::kPreparingRebalance && state_ == ClassicGroupState::kEmpty;
  member_came = false;
  state_ = state;
  state_timestamp_ms_ = wall_ms;
}

bool Round::uses_consumer_protocol() const {
  return protocol_type_ == kConsumerProtocolType;
}

bool Round::is_subscribed_to(std::string_view topic) const {
  return subscribed_topics_ ? subscribed_topics_->contains(topic) : uses_consumer_protocol();
}

// ---- members ----

RoundMember* Round::find(std::string_view id) {
  const auto it = members_.find(id);
  return it != members_.end() ? &it->second : nullptr;
}

const RoundMember* Round::find(std::string_view id) const {
  const auto it = members_.find(id);
  return it != members_.end() ? &it->second : nullptr;
}

RoundMember* Round::find_static(std::string_view instance_id) {
  const auto it = static_members_.find(instance_id);
  return it != static_members_.end() ? find(it->second.value()) : nullptr;
}

RoundMember& Round::add(RoundMember member, std::string_view protocol_type) {
  COHORT_CHECK(!members_.contains(member.id.value()), "a member joins twice");
  if (members_.empty()) protocol_type_ = protocol_type;
  if (!leader_) leader_ = member.id;
  if (member.instance_id) static_members_.insert_or_assign(*member.instance_id, member.id);
  count_protocols(member.protocols, 1);
  remove_pending(member.id.value());
  const std::string id = member.id.value();
  return members_[id] = std::move(member);
}

void Round::remove(std::string_view id) {
  RoundMember* found = find(id);
  COHORT_CHECK(found != nullptr, "a member that is not there is removed");
  RoundMember& member = *found;
  COHORT_CHECK(!member.join_ && !member.sync, "a member that waits for an answer is removed");
  count_protocols(member.protocols, -1);
  if (member.instance_id) static_members_.erase(*member.instance_id);
  set_owes_sync(member, false);
  const bool led = is_leader(id);
  members_.erase(members_.find(id));
  if (!led) return;
  leader_.reset();
  if (!members_.empty()) leader_ = members_.begin()->first;
}

RoundMember& Round::replace_static(std::string_view old_id, std::string_view new_id) {
  RoundMember* old = find(old_id);
  COHORT_CHECK(old != nullptr && old->instance_id && !old->join_ && !old->sync, "not a static member that can go");
  RoundMember member = std::move(*old);
  member.id = protocol::MemberId(std::string(new_id));
  member.session = {};
  if (is_leader(old_id)) leader_ = member.id;
  static_members_.insert_or_assign(*member.instance_id, member.id);
  members_.erase(members_.find(old_id));
  return members_[new_id] = std::move(member);
}

void Round::set_protocols(RoundMember& member, ClassicProtocols protocols) {
  count_protocols(member.protocols, -1);
  member.protocols = std::move(protocols);
  count_protocols(member.protocols, 1);
}

void Round::count_protocols(const ClassicProtocols& protocols, int by) {
  for (const auto& protocol : protocols) {
    const auto it = supporters_.try_emplace(protocol.name.str(), 0).first;
    it->second += by;
    if (it->second == 0) supporters_.erase(it);
  }
}

std::optional<ReplyToken> Round::park_join(RoundMember& member, ReplyToken token) {
  if (!member.join_) ++joined_;
  return std::exchange(member.join_, token);
}

std::optional<ReplyToken> Round::take_join(RoundMember& member) {
  if (member.join_) --joined_;
  return std::exchange(member.join_, std::nullopt);
}

void Round::set_owes_sync(RoundMember& member, bool owes) {
  if (owes == member.owes_sync_) return;
  member.owes_sync_ = owes;
  unsynced_ += owes ? 1 : -1;
}

std::int32_t Round::rebalance_timeout_ms() const {
  std::int32_t longest = 0;
  for (const auto& [id, member] : members_) longest = std::max(longest, member.rebalance_timeout_ms);
  return longest;
}

ClassicSession* Round::find_pending(std::string_view id) {
  const auto it = pending_.find(id);
  return it != pending_.end() ? &it->second : nullptr;
}

void Round::remove_pending(std::string_view id) {
  if (const auto it = pending_.find(id); it != pending_.end()) pending_.erase(it);
}

// ---- the rebalance ----

bool Round::supports(std::string_view protocol_type, const ClassicProtocols& protocols) const {
  if (is(ClassicGroupState::kEmpty)) return !protocol_type.empty() && !protocols.empty();
  return protocol_type == protocol_type_ && std::ranges::any_of(protocols, [this](const auto& protocol) {
           const auto known = supporters_.find(protocol.name.view());
           return (known != supporters_.end() ? known->second : 0) == std::ssize(members_);
         });
}

std::string Round::select_protocol() const {
  const RoundMember* leader = leader_ ? find(leader_->value()) : nullptr;
  COHORT_CHECK(leader != nullptr, "a group without a leader chooses a protocol");
  const auto is_candidate = [this](const auto& protocol) {
    return supporters_.find(protocol.name.view())->second == std::ssize(members_);
  };
  std::map<std::string_view, int> votes;
  for (const auto& [id, member] : members_) {
    const auto best = std::ranges::find_if(member.protocols, is_candidate);
    COHORT_CHECK(best != member.protocols.end(), "a member that shares no protocol with the others");
    ++votes[best->name.view()];
  }
  std::string_view chosen;
  int most = 0;
  for (const auto& protocol : leader->protocols) {
    const auto counted = votes.find(protocol.name.view());
    if (counted == votes.end() || counted->second <= most) continue;
    most = counted->second;
    chosen = counted->first;
  }
  return std::string(chosen);
}

bool Round::elect_joined_leader() {
  const RoundMember* leader = leader_ ? find(leader_->value()) : nullptr;
  if (leader == nullptr) return false;
  if (leader->has_joined()) return true;
  const auto joined = std::ranges::find_if(members_, [](const auto& entry) { return entry.second.has_joined(); });
  if (joined == members_.end()) return false;
  leader_ = joined->first;
  return true;
}

void Round::begin_generation(std::int64_t wall_ms) {
  // Kafka's would become negative here, which means "no generation" to clients.
  const bool is_last = generation_.value() == std::numeric_limits<std::int32_t>::max();
  generation_ = protocol::GenerationId(is_last ? 0 : generation_.value() + 1);
  protocol_.reset();
  if (!members_.empty()) protocol_ = select_protocol();
  subscribed_topics_ = read_subscribed_topics();
  for (auto& [id, member] : members_) set_owes_sync(member, false);
  enter(members_.empty() ? ClassicGroupState::kEmpty : ClassicGroupState::kCompletingRebalance, wall_ms);
}

void Round::adopt_generation(protocol::GenerationId generation, std::int64_t wall_ms) {
  generation_ = generation;
  protocol_ = select_protocol();
  subscribed_topics_ = read_subscribed_topics();
  enter(ClassicGroupState::kStable, wall_ms);
}

std::optional<std::set<std::string, std::less<>>> Round::read_subscribed_topics() const {
  if (!uses_consumer_protocol()) return std::nullopt;
  std::set<std::string, std::less<>> topics;
  for (const auto& [id, member] : members_) {
    const protocol::Bytes metadata = member.metadata(protocol_.value_or(""));
    const auto read = coordinator::read_subscribed_topics(metadata.view());
    if (!read) return std::nullopt;  // only in records of other servers: a join is refused then
    for (const protocol::Text& topic : *read) topics.insert(topic.str());
  }
  return topics;
}

}  // namespace cohort::coordinator
