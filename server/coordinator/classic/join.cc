// JoinGroup: who may join, and what a join changes. After Kafka's GroupMetadataManager.classicGroupJoin.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "protocol/base/log.h"
#include "server/coordinator/classic/consumer_metadata.h"
#include "server/coordinator/classic/internal.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/core/limits.h"

namespace cohort::coordinator {
namespace {

using enum ClassicGroupState;
using protocol::ErrorCode;

// How long a new member waits for the answer to its first join: it has no session yet, and its client may be gone.
constexpr Duration kNewMemberJoinTimeout = std::chrono::minutes{5};

// Of one group, waiting to come back with the ids that they were given. Kafka has no bound; clients take the answer to
// the next one for a reason to try again later, and ids that are not used expire.
constexpr std::size_t kMaxPendingMembers = 2'000;

// Owned copies, the first of each name.
ClassicProtocols protocols_of(const JoinGroup& join) {
  ClassicProtocols protocols;
  for (const auto& protocol : join.request.protocols) {
    const auto has_name = [&](const auto& known) { return known.name == protocol.name; };
    if (std::ranges::none_of(protocols, has_name)) protocols.push_back(protocol);
  }
  return protocols;
}

// Kafka 4.3.1 finds out when the round is complete, fails there and answers nobody.
Result<void> check_metadata(const JoinGroup& join) {
  if (join.request.protocol_type != kConsumerProtocolType) return {};
  for (const auto& protocol : join.request.protocols) {
    if (const auto topics = read_subscribed_topics(protocol.metadata.view()); !topics) {
      return fail(topics.error().kind, fmt::format("the subscription of protocol '{}' cannot be read: {}",
                                                   protocol.name, topics.error().message));
    }
  }
  return {};
}

ErrorCode validate_join(const Step& step, const JoinGroup& join) {
  const auto& request = join.request;
  if (request.group_id.empty()) return ErrorCode::kInvalidGroupId;
  const Duration session{request.session_timeout_ms};
  if (session < step.config.classic_min_session_timeout || session > step.config.classic_max_session_timeout) {
    return ErrorCode::kInvalidSessionTimeout;
  }
  if (const auto readable = check_metadata(join); !readable) {
    log::warn(kClassicLogName, "[{}] a join of client '{}' at {} is refused: {}", request.group_id,
              join.client.client_id, join.client.client_host, readable.error().message);
    return ErrorCode::kInconsistentGroupProtocol;
  }
  return ErrorCode::kNone;
}

// Is there room? Members that joined already are not sent away. While a rebalance is prepared, those that have come
// count, so that a group which is too large loses who comes last (KIP-389).
bool has_room(const RoundStep& at, std::string_view member_id) {
  const auto limit = static_cast<std::size_t>(at.step.config.classic_max_size);
  const RoundMember* member = at.round.find(member_id);
  switch (at.round.state()) {
    case kEmpty:
      return true;
    case kPreparingRebalance:
      return (member != nullptr && member->has_joined()) || at.round.joined() < limit;
    case kCompletingRebalance:
    case kStable:
      return member != nullptr || at.round.members().size() < limit;
  }
  return false;
}

void refuse_for_size(const RoundStep& at, ReplyToken token, std::string_view member_id) {
  log::info(kClassicLogName, "[{}] is full with {} members", at.group, at.round.members().size());
  if (at.round.find_pending(member_id) != nullptr) {
    at.round.remove_pending(member_id);
    cancel_session(at, member_id);
  } else if (RoundMember* member = at.round.find(member_id)) {
    remove_member(at, *member);
  }
  reply_join_error(at.step, token, {}, ErrorCode::kGroupMaxSizeReached, at.after);
  complete_if_all_joined(at);
}

void add_member(const RoundStep& at, ReplyToken token, const JoinGroup& join, std::string_view id,
                ClassicProtocols protocols) {
  RoundMember member;
  member.id = protocol::MemberId(std::string(id));
  if (join.request.group_instance_id) member.instance_id = protocol::InstanceId(join.request.group_instance_id->str());
  member.client_id = join.client.client_id.str();
  member.client_host = join.client.client_host.str();
  member.rebalance_timeout_ms = rebalance_timeout_ms(join);
  member.session_timeout_ms = join.request.session_timeout_ms;
  member.protocols = std::move(protocols);
  member.is_new = true;
  if (at.round.is_initial()) at.round.member_came = true;
  RoundMember& added = at.round.add(std::move(member), join.request.protocol_type);
  park_join(at, added, token);
  restart_session(at, id, added.session, kNewMemberJoinTimeout);
  rebalance_or_complete(at, fmt::format("member {} joins; client reason: {}", id, reason_of(join.request.reason)));
}

void join_new_member(const RoundStep& at, ReplyToken token, const JoinGroup& join, ClassicProtocols protocols) {
  const auto& request = join.request;
  if (request.group_instance_id) {
    if (RoundMember* holder = at.round.find_static(*request.group_instance_id)) {
      return join_restarted_static(at, token, join, *holder, std::move(protocols));
    }
  }
  const std::string_view prefix = request.group_instance_id ? *request.group_instance_id : join.client.client_id;
  const std::string id = fmt::format("{}-{}", prefix, at.step.context.ids.next_uuid().to_string());
  if (!must_be_told_its_id(join)) {
    return add_member(at, token, join, id, std::move(protocols));
  }
  if (at.round.pending().size() >= kMaxPendingMembers) {
    log::info(kClassicLogName, "[{}] {} members have not come back with their ids yet", at.group,
              at.round.pending().size());
    return reply_join_error(at.step, token, {}, ErrorCode::kRebalanceInProgress, at.after);
  }
  // It shall come again with the id: a client whose answer is lost would leave a member behind with each try.
  restart_session(at, id, at.round.add_pending(id), Duration{request.session_timeout_ms});
  reply_join_error(at.step, token, id, ErrorCode::kMemberIdRequired, at.after);
}

// A member that is known asks again: because a rebalance is prepared, to bring one about, or because it has missed the
// answer.
void join_again(const RoundStep& at, ReplyToken token, const JoinGroup& join, RoundMember& member,
                ClassicProtocols protocols) {
  const bool says_the_same = member.protocols == protocols;
  const bool leads = at.round.is_leader(member.id.value());
  if (says_the_same && (at.round.is(kCompletingRebalance) || (at.round.is(kStable) && !leads))) {
    return reply_joined(at, token, member);
  }
  at.round.set_protocols(member, std::move(protocols));
  member.rebalance_timeout_ms = rebalance_timeout_ms(join);
  member.session_timeout_ms = join.request.session_timeout_ms;
  park_join(at, member, token);
  rebalance_or_complete(at, fmt::format("{} {} joins again; client reason: {}", leads ? "leader" : "member", member.id,
                                        reason_of(join.request.reason)));
}

void join_existing_member(const RoundStep& at, ReplyToken token, const JoinGroup& join, ClassicProtocols protocols) {
  const auto& request = join.request;
  const std::string_view id = request.member_id;
  if (at.round.find_pending(id) != nullptr && !request.group_instance_id) {
    return add_member(at, token, join, id, std::move(protocols));
  }
  const ErrorCode error = validate_member(at.round, id, view_of(request.group_instance_id));
  if (error != ErrorCode::kNone) return reply_join_error(at.step, token, id, error, at.after);
  join_again(at, token, join, *at.round.find(id), std::move(protocols));
}

// The group of this join, made when there is none. No value: answered.
std::optional<RoundStep> find_or_make(const Step& step, ReplyToken token, const JoinGroup& join,
                                      const ClassicProtocols& protocols) {
  const std::string_view id = join.request.group_id;
  if (auto at = find_round(step, id)) return at;

  const FoundGroup found = find_group(step.state, id);
  const std::int64_t after = rests_on(step.state, found);
  if (found.consumer != nullptr && validate_delete(*found.consumer) != ErrorCode::kNone) {
    join_consumer_group(step, token, join, protocols, *found.consumer);
    return std::nullopt;
  }
  // Kafka makes the group before it looks at the protocols; here a join that is refused leaves nothing behind.
  if (found.foreign != nullptr || !Round().supports(join.request.protocol_type, protocols)) {
    reply_join_error(step, token, {}, ErrorCode::kInconsistentGroupProtocol, after);
    return std::nullopt;
  }
  if (!join.request.member_id.empty()) {
    reply_join_error(step, token, join.request.member_id, ErrorCode::kUnknownMemberId, after);
    return std::nullopt;
  }
  if (!found.exists() && why_no_new_group(step, id)) {
    reply_join_error(step, token, {}, ErrorCode::kPolicyViolation, after);
    return std::nullopt;
  }
  if (found.consumer != nullptr) {
    log::info(kClassicLogName, "[{}] the empty consumer group becomes a classic group", id);
    append_group_tombstones(protocol::GroupId(std::string(id)), *found.consumer, step.output);
  }
  const std::int64_t wall_ms = step.context.now.wall_ms;
  step.output.records.push_back(new_group_record(id, wall_ms));
  Round& round = step.state.soft.rounds[id] = Round();
  round.enter(kEmpty, wall_ms);
  return RoundStep{step, id, round, after};
}

}  // namespace

std::int32_t rebalance_timeout_ms(const JoinGroup& join) {
  constexpr std::int16_t kFirstVersionWithOne = 1;
  const bool has_one = join.version >= kFirstVersionWithOne;
  return has_one ? join.request.rebalance_timeout_ms : join.request.session_timeout_ms;
}

bool must_be_told_its_id(const JoinGroup& join) {
  constexpr std::int16_t kFirstVersionThatNeedsOne = 4;
  return !join.request.group_instance_id && join.version >= kFirstVersionThatNeedsOne;
}

std::string_view reason_of(const std::optional<protocol::Text>& reason) {
  return reason && !reason->empty() ? reason->view() : std::string_view("not provided");
}

void handle_join_group(const Step& step, ReplyToken token, const JoinGroup& join) {
  // 1. What needs no state.
  const auto& request = join.request;
  if (const ErrorCode error = validate_join(step, join); error != ErrorCode::kNone) {
    return reply_join_error(step, token, request.member_id, error, kNoRecord);
  }

  // 2. The group, and whether the member fits in.
  ClassicProtocols protocols = protocols_of(join);
  const auto at = find_or_make(step, token, join, protocols);
  if (!at) return;
  if (!has_room(*at, request.member_id)) return refuse_for_size(*at, token, request.member_id);
  if (!at->round.supports(request.protocol_type, protocols)) {
    return reply_join_error(step, token, {}, ErrorCode::kInconsistentGroupProtocol, at->after);
  }

  // 3. The member.
  if (request.member_id.empty()) return join_new_member(*at, token, join, std::move(protocols));
  join_existing_member(*at, token, join, std::move(protocols));
}

}  // namespace cohort::coordinator
