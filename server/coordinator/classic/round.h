// The running state of a classic group: its state, its members as they last joined, and who waits for an answer. Soft
// state: made from the stored group after load, lost with the process. After Kafka's ClassicGroup (4.3.1).
// One per ClassicGroup, in SoftState by group id, on the shard's thread alone; only the files of this family change it.
//
// The class keeps what is counted (waiting joins, supporters of protocols, static members) in step with the members. It
// decides nothing and answers nobody: a token that it gives up is the caller's to answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/records/group_record.h"
#include "protocol/types/ids.h"
#include "server/coordinator/core/id_map.h"
#include "server/coordinator/core/output.h"

namespace cohort::coordinator {

enum class ClassicGroupState : std::uint8_t { kEmpty, kPreparingRebalance, kCompletingRebalance, kStable };
// As Kafka spells it: "Empty", "PreparingRebalance", ...
std::string_view to_string(ClassicGroupState state);

using ClassicProtocols = std::vector<protocol::JoinGroupRequest::JoinGroupRequestProtocol>;

// When a member must have been heard of. The timer is moved when it fires, not with every heartbeat.
struct ClassicSession {
  MonoTime deadline{};
  std::optional<MonoTime> timer;  // the deadline that the driver knows; never later than `deadline`
};

struct RoundMember {
  protocol::MemberId id;
  std::optional<protocol::InstanceId> instance_id;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = 0;
  std::int32_t session_timeout_ms = 0;
  ClassicProtocols protocols;  // the one it likes best first; no name twice
  protocol::Bytes assignment;
  bool is_new = false;             // waits for the answer to its first join
  std::optional<ReplyToken> sync;  // a SyncGroup that waits for the leader's
  ClassicSession session;

  bool has_joined() const { return join_.has_value(); }
  bool owes_sync() const { return owes_sync_; }
  // What it said for this protocol; empty when it does not know it.
  protocol::Bytes metadata(std::string_view protocol) const;

 private:
  friend class Round;
  // Both are counted by the round.
  std::optional<ReplyToken> join_;  // a JoinGroup that waits for the others
  bool owes_sync_ = false;          // was given the present generation and has not asked for its assignment
};

class Round {
 public:
  Round() = default;
  // As the log has it: Stable with members, Empty without. Nobody waits.
  explicit Round(const protocol::GroupMetadataValue& stored);

  ClassicGroupState state() const { return state_; }
  bool is(ClassicGroupState state) const { return state_ == state; }
  // Wall time of entering it, ms; -1: unknown, from an old record.
  std::int64_t state_timestamp_ms() const { return state_timestamp_ms_; }
  void enter(ClassicGroupState state, std::int64_t wall_ms);
  // Preparing the first rebalance after the group was empty: more time is given for members to come.
  bool is_initial() const { return is_initial_; }

  protocol::GenerationId generation() const { return generation_; }
  const std::string& protocol_type() const { return protocol_type_; }  // empty: no member ever joined
  const std::optional<std::string>& protocol() const { return protocol_; }
  const std::optional<protocol::MemberId>& leader() const { return leader_; }
  bool is_leader(std::string_view member) const { return leader_ && leader_->value() == member; }
  // Of members that use the consumer protocol; no value: not known (another protocol, or metadata that is too short).
  const std::optional<std::set<std::string, std::less<>>>& subscribed_topics() const { return subscribed_topics_; }
  bool uses_consumer_protocol() const;
  // Kafka: ClassicGroup.isSubscribedToTopic: where topics are not known, all may be subscribed to.
  bool is_subscribed_to(std::string_view topic) const;

  // ---- members ----
  const IdMap<protocol::MemberId, RoundMember>& members() const { return members_; }
  template <typename Visit>
  void for_each(Visit&& visit) {
    for (auto& [id, member] : members_) visit(member);
  }
  RoundMember* find(std::string_view id);
  const RoundMember* find(std::string_view id) const;
  RoundMember* find_static(std::string_view instance_id);
  // The member is not known and its protocols are supported. The first one becomes the leader.
  RoundMember& add(RoundMember member, std::string_view protocol_type);
  // What the member waited for is given up: take it before. If it led, another one does from now on.
  void remove(std::string_view id);
  // The static member under a new id, with nothing to wait for.
  RoundMember& replace_static(std::string_view old_id, std::string_view new_id);
  void set_protocols(RoundMember& member, ClassicProtocols protocols);
  // The member's join waits; returns the one that waited before.
  std::optional<ReplyToken> park_join(RoundMember& member, ReplyToken token);
  std::optional<ReplyToken> take_join(RoundMember& member);
  std::size_t joined() const { return joined_; }
  void set_owes_sync(RoundMember& member, bool owes);
  std::int32_t rebalance_timeout_ms() const;  // the longest of the members'

  // ---- ids that were given out and not yet used (KIP-394) ----
  ClassicSession* find_pending(std::string_view id);
  ClassicSession& add_pending(std::string_view id) { return pending_[id]; }
  void remove_pending(std::string_view id);
  const IdMap<protocol::MemberId, ClassicSession>& pending() const { return pending_; }

  // ---- the rebalance ----
  bool have_all_joined() const { return members_.size() == joined_ && pending_.empty(); }
  bool have_all_synced() const { return unsynced_ == 0; }
  // Could such a member join? Kafka: ClassicGroup.supportsProtocols.
  bool supports(std::string_view protocol_type, const ClassicProtocols& protocols) const;
  // One that all members know, with the most votes; each votes for the one that it likes best. There is a leader, and
  // the protocols of all members have one in common. Even votes: what the leader likes better.
  std::string select_protocol() const;
  // A leader that has not joined gives way to one that has. False: there is nobody to lead.
  bool elect_joined_leader();
  // The next generation begins, with what the present members can do.
  void begin_generation(std::int64_t wall_ms);
  // The members, who have their assignments, are in this generation: stable.
  void adopt_generation(protocol::GenerationId generation, std::int64_t wall_ms);

  std::optional<MonoTime> join_deadline;  // the wait for joins is over then
  std::optional<MonoTime> sync_deadline;  // ... for syncs
  Duration initial_delay{};               // the part of the initial delay that runs
  Duration initial_delay_left{};          // what may be added to it
  bool member_came = false;               // one has joined since the initial delay, or its last part, began

 private:
  void count_protocols(const ClassicProtocols& protocols, int by);
  std::optional<std::set<std::string, std::less<>>> read_subscribed_topics() const;

  ClassicGroupState state_ = ClassicGroupState::kEmpty;
  bool is_initial_ = false;
  std::int64_t state_timestamp_ms_ = -1;
  protocol::GenerationId generation_{0};
  std::string protocol_type_;
  std::optional<std::string> protocol_;
  std::optional<protocol::MemberId> leader_;
  std::optional<std::set<std::string, std::less<>>> subscribed_topics_;
  IdMap<protocol::MemberId, RoundMember> members_;
  IdMap<protocol::MemberId, ClassicSession> pending_;
  std::map<protocol::InstanceId, protocol::MemberId, std::less<>> static_members_;
  std::map<std::string, int, std::less<>> supporters_;  // members that know a protocol
  std::size_t joined_ = 0;
  std::size_t unsynced_ = 0;
};

}  // namespace cohort::coordinator
