// Epoch -1: the member is gone. Epoch -2: a static member goes for a while and keeps its partitions.
#include "protocol/base/log.h"
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/migration.h"
#include "server/coordinator/consumer/records.h"

namespace cohort::coordinator {
namespace {

void reply_left(const Step& step, ReplyToken token, const ConsumerMember& member, protocol::MemberEpoch epoch,
                std::int64_t after) {
  protocol::ConsumerGroupHeartbeatResponse response;
  response.member_id = protocol::Text(member.id.value());
  response.member_epoch = epoch.value();
  step.output.replies.push_back({token, std::move(response), after});
}

// The member stays in the group under epoch -2 until its successor comes or its session ends. Its partitions count as
// assigned from epoch 0 on, so that the successor may commit for them at any epoch.
void leave_for_a_while(const Step& step, std::string_view group, const ConsumerMember& member) {
  ConsumerMember leaving = member;
  leaving.epoch = protocol::kLeaveGroupStaticMemberEpoch;
  leaving.pending_revocation.clear();
  for (auto& [topic, partitions] : leaving.assigned) {
    for (OwnedPartition& partition : partitions) partition.epoch = protocol::MemberEpoch(0);
  }
  step.output.records.push_back(current_assignment_record(group, leaving));
}

}  // namespace

void leave(const Step& step, ReplyToken token, const ConsumerHeartbeat& heartbeat) {
  const auto& request = heartbeat.request;
  const std::string_view id = request.group_id;
  const std::string_view member_id = request.member_id;
  const ConsumerGroup* group = step.state.find_consumer_group(id);
  if (group == nullptr) {
    return reply_error(step, token, group_not_found(id), last_record_without(step.state, id));
  }

  const ConsumerMember* member = nullptr;
  if (!request.instance_id) {
    member = group->find_member(member_id);
    if (member == nullptr) return reply_error(step, token, unknown_member(id, member_id), group->last_record);
  } else {
    member = group->find_static_member(*request.instance_id);
    if (member == nullptr) {
      return reply_error(step, token, unknown_instance(*request.instance_id), group->last_record);
    }
    if (member->id != member_id) {
      return reply_error(step, token, fenced_instance(*request.instance_id, *member, member_id), group->last_record);
    }
  }

  const protocol::MemberEpoch epoch(request.member_epoch);
  log::info(kLogName, "[{}] member {} leaves with epoch {}", id, member_id, epoch);
  if (epoch == protocol::kLeaveGroupStaticMemberEpoch) {
    leave_for_a_while(step, id, *member);
  } else {
    fence_member(step, id, *group, *member);
  }
  reply_left(step, token, *member, epoch, group->last_record);
}

void append_member_tombstones(std::string_view group, std::string_view member, Output& output) {
  output.records.push_back(current_assignment_tombstone(group, member));
  output.records.push_back(target_tombstone(group, member));
  output.records.push_back(member_tombstone(group, member));
}

void fence_members(const Step& step, std::string_view id, const ConsumerGroup& group,
                   std::span<const ConsumerMember* const> members) {
  if (can_downgrade_without(step, id, group, members)) return downgrade_without(step, id, group, members);

  SubscriptionCounts subscribed = group.subscribed_topics;
  Counts regex_subscribers = group.regex_subscribers;
  for (const ConsumerMember* member : members) {
    append_member_tombstones(id, member->id.value(), step.output);
    for (const auto& topic : member->subscribed_topics) add_by_name(subscribed, topic, -1);
    if (!member->subscribed_regex.empty()) add_count(regex_subscribers, member->subscribed_regex, -1);
  }
  for (const auto& [regex, count] : group.regex_subscribers) {
    if (count_of(regex_subscribers, regex) > 0) continue;
    step.output.records.push_back(regex_tombstone(id, regex));
    const auto resolved = group.resolved_regexes.find(regex);
    if (resolved == group.resolved_regexes.end()) continue;
    for (const auto& topic : resolved->second.topics) add_by_regex(subscribed, topic, -1);
  }

  const protocol::GroupEpoch epoch(group.epoch.value() + 1);
  step.output.records.push_back(group_epoch_record(id, epoch, metadata_hash(subscribed, *step.context.metadata)));
  for (const ConsumerMember* member : members) {
    log::info(kLogName, "[{}] epoch {} without member {}", id, epoch, member->id);
    cancel_timers(step, id, member->id.value());
  }
}

void fence_member(const Step& step, std::string_view id, const ConsumerGroup& group, const ConsumerMember& member) {
  const ConsumerMember* const one = &member;
  fence_members(step, id, group, std::span(&one, 1));
}

}  // namespace cohort::coordinator
