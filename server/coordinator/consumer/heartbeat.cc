// ConsumerGroupHeartbeat of a member that joins or stays. After Kafka's GroupMetadataManager.consumerGroupHeartbeat:
//   1. the member is made or updated, and the group's epoch bumped when the subscriptions changed;
//   2. the target assignment is computed when the group's epoch is ahead of it;
//   3. the member moves towards its target.
// A steady heartbeat (nothing new on either side) is recognised first and writes nothing.
#include <fmt/format.h>

#include <algorithm>

#include "protocol/base/log.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/current_assignment_builder.h"
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/join.h"
#include "server/coordinator/consumer/records.h"

namespace cohort::coordinator {
namespace {

using Request = protocol::ConsumerGroupHeartbeatRequest;

// --- does the request say anything new of the member? ---

bool same(const std::optional<protocol::Text>& said, const std::optional<std::string>& known) {
  return !said || (known && *said == *known);
}

bool same_topics(const std::optional<std::vector<protocol::Text>>& said,
                 const std::vector<protocol::TopicName>& known) {
  if (!said) return true;
  const auto equal = [](const protocol::Text& a, const protocol::TopicName& b) { return b == a.view(); };
  if (std::ranges::equal(*said, known, equal)) return true;  // sent in order, as most clients do
  std::vector<std::string_view> names(said->begin(), said->end());
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return std::ranges::equal(names, known, [](std::string_view a, const protocol::TopicName& b) { return b == a; });
}

bool says_nothing_new(const ConsumerHeartbeat& heartbeat, const ConsumerMember& member) {
  const Request& request = heartbeat.request;
  return (!request.instance_id || (member.instance_id && *member.instance_id == request.instance_id->view())) &&
         same(request.rack_id, member.rack_id) &&
         (request.rebalance_timeout_ms == -1 || request.rebalance_timeout_ms == member.rebalance_timeout_ms) &&
         same(request.server_assignor, member.server_assignor) &&
         same_topics(request.subscribed_topic_names, member.subscribed_topics) &&
         (!request.subscribed_topic_regex || *request.subscribed_topic_regex == member.subscribed_regex) &&
         heartbeat.client.client_id == member.client_id && heartbeat.client.client_host == member.client_host &&
         !member.classic && !heartbeat.classic;
}

void update(ConsumerMember& member, const ConsumerHeartbeat& heartbeat) {
  const Request& request = heartbeat.request;
  if (request.instance_id) member.instance_id = protocol::InstanceId(request.instance_id->str());
  if (request.rack_id) member.rack_id = request.rack_id->str();
  if (request.rebalance_timeout_ms != -1) member.rebalance_timeout_ms = request.rebalance_timeout_ms;
  if (request.server_assignor) member.server_assignor = request.server_assignor->str();
  if (request.subscribed_topic_names) member.subscribed_topics = sorted_names(*request.subscribed_topic_names);
  if (request.subscribed_topic_regex) member.subscribed_regex = request.subscribed_topic_regex->str();
  member.client_id = heartbeat.client.client_id.str();
  member.client_host = heartbeat.client.client_host.str();
  member.classic = heartbeat.classic;
}

// --- the reply ---

// The member may have forgotten what it has: it joins, or says all that it says after an error.
bool is_full_request(const Request& request) {
  return request.member_epoch == protocol::kJoinGroupMemberEpoch.value() ||
         (request.rebalance_timeout_ms != -1 && (request.subscribed_topic_names || request.subscribed_topic_regex) &&
          request.topic_partitions);
}

protocol::ConsumerGroupHeartbeatResponse::Assignment to_assignment(const OwnedPartitions& owned) {
  protocol::ConsumerGroupHeartbeatResponse::Assignment assignment;
  assignment.topic_partitions.reserve(owned.size());
  for (const auto& [topic, partitions] : owned) {
    auto& entry = assignment.topic_partitions.emplace_back();
    entry.topic_id = topic.value();
    entry.partitions.reserve(partitions.size());
    for (const OwnedPartition& partition : partitions) entry.partitions.push_back(partition.partition);
  }
  return assignment;
}

void reply(const Step& step, ReplyToken token, std::string_view group, const ConsumerMember& member,
           bool with_assignment, std::int64_t after) {
  protocol::ConsumerGroupHeartbeatResponse response;
  response.member_id = protocol::Text(member.id.value());
  response.member_epoch = member.epoch.value();
  response.heartbeat_interval_ms = static_cast<std::int32_t>(heartbeat_interval(step, group).count());
  if (with_assignment) response.assignment = to_assignment(member.assigned);
  step.output.replies.push_back({token, std::move(response), after});
}

// --- the decision ---

class Heartbeat {
 public:
  Heartbeat(const Step& step, const ConsumerHeartbeat& heartbeat, const Subscriber& who)
      : step_(step), heartbeat_(heartbeat), who_(who), id_(heartbeat.request.group_id) {}

  // Everything is as it was and as it should be.
  bool is_steady() const {
    const ConsumerGroup& group = *who_.group;
    return !who_.is_new_member && says_nothing_new(heartbeat_, *who_.member) &&
           who_.member->is_reconciled_to(group.assignment_epoch) && group.assignment_epoch >= group.epoch &&
           !is_metadata_stale(group, *step_.context.metadata) && !group.has_partition_metadata_record &&
           !is_resolution_due(step_, id_, group);
  }

  // The member as it will be.
  std::expected<ConsumerMember, GroupError> decide() {
    ConsumerMember member = *who_.member;
    update(member, heartbeat_);
    if (auto error = update_subscription(member)) return std::unexpected(std::move(*error));
    const Target target = update_target(step_, id_, *who_.group, epoch_, *who_.member, member);
    auto next = reconcile({.group = *who_.group,
                           .member = member,
                           .target_epoch = target.epoch,
                           .target = target.partitions,
                           .subscription_changed = subscription_changed_,
                           .metadata = *step_.context.metadata,
                           .owned = heartbeat_.request.topic_partitions});
    if (!next) {
      return std::unexpected(GroupError{protocol::ErrorCode::kFencedMemberEpoch,
                                        "The member's state is unknown. It must abandon all its partitions and "
                                        "rejoin."});
    }
    if (!*next) return member;
    step_.output.records.push_back(current_assignment_record(id_, **next));
    // Members of the classic protocol have timers of their own (classic_member.cc).
    if (member.classic) return std::move(**next);
    if ((*next)->state == MemberState::kUnrevokedPartitions) {
      start_rebalance_timer(step_, id_, **next);
    } else if (member.state == MemberState::kUnrevokedPartitions) {
      cancel_rebalance_timer(step_, id_, member.id.value());
    }
    return std::move(**next);
  }

 private:
  // Phase 1: the member's record, regular expressions, and the group's epoch.
  std::optional<GroupError> update_subscription(const ConsumerMember& member) {
    const ConsumerGroup& group = *who_.group;
    const ConsumerMember& old = *who_.member;
    const bool is_made = who_.is_new_member && who_.replaced == nullptr;
    if (is_made || member != old) step_.output.records.push_back(member_record(id_, member));

    const bool topics_changed = member.subscribed_topics != old.subscribed_topics;
    const auto regex = update_regexes(step_, id_, group, old, member);
    if (!regex) return regex.error();
    subscription_changed_ = topics_changed || *regex != RegexChange::kNone;

    // An expression that is new to the group bumps the epoch once it is resolved.
    const bool bump = topics_changed || *regex == RegexChange::kChangedAndResolved;
    epoch_ = group.epoch;
    if (!bump && !is_metadata_stale(group, *step_.context.metadata) && !group.has_partition_metadata_record) {
      return std::nullopt;
    }
    const std::int64_t hash = metadata_hash(subscribed_topics_after(group, old, member), *step_.context.metadata);
    if (bump || hash != group.metadata_hash) {
      epoch_ = protocol::GroupEpoch(group.epoch.value() + 1);
      step_.output.records.push_back(group_epoch_record(id_, epoch_, hash));
      log::info(kLogName, "[{}] epoch {}", id_, epoch_);
    }
    group.soft.checked_version = step_.context.metadata->version();
    group.soft.checked_epoch = epoch_;
    if (group.has_partition_metadata_record) step_.output.records.push_back(partition_metadata_tombstone(id_));
    return std::nullopt;
  }

  const Step& step_;
  const ConsumerHeartbeat& heartbeat_;
  const Subscriber& who_;
  std::string_view id_;
  protocol::GroupEpoch epoch_;
  bool subscription_changed_ = false;
};

}  // namespace

std::expected<ConsumerMember, GroupError> decide_member(const Step& step, const ConsumerHeartbeat& heartbeat,
                                                        const Subscriber& who) {
  return Heartbeat(step, heartbeat, who).decide();
}

std::optional<GroupError> check_size(const Step& step, const ConsumerGroup& group, std::string_view member_id) {
  if (std::ssize(group.members) < step.config.consumer_max_size) return std::nullopt;
  if (!member_id.empty() && group.find_member(member_id) != nullptr) return std::nullopt;
  return GroupError{
      protocol::ErrorCode::kGroupMaxSizeReached,
      fmt::format("The consumer group has reached its maximum capacity of {} members.", step.config.consumer_max_size)};
}

void handle_consumer_heartbeat(const Step& step, ReplyToken token, const ConsumerHeartbeat& heartbeat) {
  // 1. What needs no state, and leaving.
  if (const auto error = validate_heartbeat(heartbeat, step.config)) {
    return reply_error(step, token, *error, kNoRecord);
  }
  const Request& request = heartbeat.request;
  if (request.member_epoch < 0) return leave(step, token, heartbeat);

  // 2. Who it is. A refusal takes back what was decided so far.
  const std::string_view id = request.group_id;
  const std::size_t records = step.output.records.size();
  const std::size_t timers = step.output.timers.size();
  Subscriber who;
  const auto refuse = [&](const GroupError& error) {
    step.output.records.erase(step.output.records.begin() + static_cast<std::ptrdiff_t>(records),
                              step.output.records.end());
    step.output.timers.erase(step.output.timers.begin() + static_cast<std::ptrdiff_t>(timers),
                             step.output.timers.end());
    const bool exists = who.group != nullptr && !who.made_group;
    reply_error(step, token, error, exists ? who.group->last_record : last_record_without(step.state, id));
  };
  if (const auto error = find_group(step, heartbeat, who)) return refuse(*error);
  if (const auto error = check_size(step, *who.group, request.member_id)) return refuse(*error);
  std::string made_id;
  if (request.member_id.empty()) made_id = step.context.ids.next_uuid().to_string();
  const std::string_view member_id = made_id.empty() ? request.member_id.view() : std::string_view(made_id);
  if (const auto error = find_member(step, heartbeat, member_id, who)) return refuse(*error);

  // 3. Nothing to do, as a rule.
  Heartbeat decision(step, heartbeat, who);
  const std::int64_t after = who.group->last_record;
  if (decision.is_steady()) {
    restart_session(step, id, *who.member, false);
    return reply(step, token, id, *who.member, is_full_request(request), after);
  }

  // 4. What is to change.
  const auto member = decision.decide();
  if (!member) return refuse(member.error());
  if (who.upgraded) end_round(step, id, protocol::ErrorCode::kRebalanceInProgress);  // they shall join again
  if (who.is_new_member) log::info(kLogName, "[{}] member {} joins", id, member_id);
  if (who.replaced != nullptr && who.replaced->id != member_id) cancel_timers(step, id, who.replaced->id.value());
  restart_session(step, id, *who.member, who.is_new_member);
  reply(step, token, id, *member, is_full_request(request) || member->assigned != who.member->assigned, after);
}

}  // namespace cohort::coordinator
