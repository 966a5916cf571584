// Target assignments: who shall have what, computed by an assignor for an epoch of the group. After Kafka's
// TargetAssignmentBuilder and GroupMetadataManager.maybeUpdateTargetAssignment (KIP-1263 for the interval).
#include <algorithm>
#include <memory>
#include <tuple>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/coordinator/assignors/assignor.h"
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/records.h"

namespace cohort::coordinator {
namespace {

// A job is worth its price only for groups that would hold up the shard: a job's result reaches members with their next
// heartbeat, seconds later, while Kafka 4.3.1 computes within the heartbeat. Counted are partitions and the topics of
// each member; below this an assignor takes well under a millisecond.
constexpr std::size_t kOffloadFrom = 10'000;

// The topics of members, resolved once per distinct subscription.
class SubscriptionResolver {
 public:
  SubscriptionResolver(const ConsumerGroup& group, const MetadataView& metadata) : group_(group), metadata_(metadata) {}

  SubscribedTopics resolve(const ConsumerMember& member) {
    auto& known = by_subscription_[{&member.subscribed_topics, &member.subscribed_regex}];
    if (known == nullptr) known = share(topics_of(member));
    return known;
  }
  // Of all members seen so far.
  bool is_homogeneous() const { return by_topics_.size() <= 1; }
  const std::map<protocol::TopicId, std::int32_t>& partitions() const { return partitions_; }

 private:
  // Points into a member: copies of the names would cost more than all the rest.
  struct Subscription {
    const std::vector<protocol::TopicName>* topics;
    const std::string* regex;
    friend bool operator<(const Subscription& a, const Subscription& b) {
      return std::tie(*a.topics, *a.regex) < std::tie(*b.topics, *b.regex);
    }
  };

  std::vector<protocol::TopicId> topics_of(const ConsumerMember& member) {
    std::vector<protocol::TopicId> ids;
    const auto add = [this, &ids](const protocol::TopicName& name) {
      const TopicView* topic = metadata_.find(name.value());
      if (topic == nullptr) return;
      ids.push_back(topic->id);
      partitions_.emplace(topic->id, topic->partitions);
    };
    std::ranges::for_each(member.subscribed_topics, add);
    const auto it = group_.resolved_regexes.find(member.subscribed_regex);
    if (!member.subscribed_regex.empty() && it != group_.resolved_regexes.end()) {
      std::ranges::for_each(it->second.topics, add);
    }
    std::ranges::sort(ids);
    ids.erase(std::ranges::unique(ids).begin(), ids.end());
    return ids;
  }
  SubscribedTopics share(std::vector<protocol::TopicId> ids) {
    auto& shared = by_topics_[ids];
    if (shared == nullptr) shared = std::make_shared<const std::vector<protocol::TopicId>>(std::move(ids));
    return shared;
  }

  const ConsumerGroup& group_;
  const MetadataView& metadata_;
  std::map<Subscription, SubscribedTopics> by_subscription_;
  std::map<std::vector<protocol::TopicId>, SubscribedTopics> by_topics_;
  std::map<protocol::TopicId, std::int32_t> partitions_;
};

const PartitionsByTopic& last_target(const ConsumerGroup& group, const ConsumerMember& member) {
  // A static member brings the target of the one that it replaces.
  if (member.instance_id) {
    const auto it = group.static_members.find(*member.instance_id);
    if (it != group.static_members.end()) return group.target_of(it->second.value());
  }
  return group.target_of(member.id.value());
}

// The group as it will be with `member` in it, and without the static member that it replaces.
GroupSpec make_spec(const ConsumerGroup& group, const ConsumerMember& member, const MetadataView& metadata) {
  const protocol::MemberId* replaced = nullptr;
  if (member.instance_id) {
    const auto it = group.static_members.find(*member.instance_id);
    if (it != group.static_members.end() && it->second != member.id) replaced = &it->second;
  }
  SubscriptionResolver resolver(group, metadata);
  GroupSpec spec;
  spec.members.reserve(group.members.size() + 1);
  const auto add = [&](const ConsumerMember& one, const PartitionsByTopic& target) {
    spec.members.push_back({one.id, one.instance_id, resolver.resolve(one), target});
  };
  bool is_added = false;
  for (const auto& [id, existing] : group.members) {
    if (!is_added && member.id <= id) {
      add(member, last_target(group, member));
      is_added = true;
    }
    if (id == member.id || (replaced != nullptr && id == *replaced)) continue;
    add(existing, group.target_of(id.value()));
  }
  if (!is_added) add(member, last_target(group, member));
  spec.partitions = resolver.partitions();
  spec.type = resolver.is_homogeneous() ? SubscriptionType::kHomogeneous : SubscriptionType::kHeterogeneous;
  return spec;
}

std::size_t work_of(const GroupSpec& spec) {
  std::size_t work = 0;
  for (const MemberSpec& member : spec.members) work += member.topics->size();
  for (const auto& [topic, partitions] : spec.partitions) work += static_cast<std::size_t>(partitions);
  return work;
}

bool is_interval_over(const Step& step, std::string_view id, const ConsumerGroup& group) {
  if (group.assignment_timestamp_ms == 0) return true;  // the first one, or it is not known when the last one was made
  const std::int64_t age_ms = step.context.now.wall_ms - group.assignment_timestamp_ms;
  return age_ms < 0 || age_ms >= assignment_interval(step, id).count();
}

void append_target_records(const Step& step, std::string_view id, const ConsumerGroup& group,
                           protocol::GroupEpoch epoch, const std::map<protocol::MemberId, PartitionsByTopic>& targets) {
  for (const auto& [member, target] : targets) {
    const auto it = group.target.find(member);
    if (it != group.target.end() && it->second == target) continue;
    step.output.records.push_back(target_record(id, member.value(), target));
  }
  step.output.records.push_back(target_metadata_record(id, epoch, step.context.now.wall_ms));
}

bool is_assigning(const Step& step, std::string_view id) {
  const auto it = step.state.soft.assigning.find(id);
  return it != step.state.soft.assigning.end() && step.context.now.mono - it->second < kJobPatience;
}

void start_job(const Step& step, std::string_view id, const ConsumerGroup& group, protocol::GroupEpoch epoch,
               const ConsumerMember& member, const PartitionAssignor& assignor, GroupSpec spec) {
  protocol::GroupId group_id{std::string(id)};
  step.state.soft.assigning.insert_or_assign(group_id, step.context.now.mono);
  std::map<protocol::InstanceId, protocol::MemberId> static_members(group.static_members.begin(),
                                                                    group.static_members.end());
  if (member.instance_id) static_members.insert_or_assign(*member.instance_id, member.id);
  step.output.jobs.push_back(
      {[group_id, epoch, assignor = &assignor, spec = std::move(spec), static_members = std::move(static_members),
        last_deletion = step.state.last_deletion](const std::stop_token& /*ending*/) -> JobResult {
        return {group_id, ComputedAssignment{epoch, assignor->assign(spec), static_members, last_deletion}};
      }});
}

}  // namespace

std::string_view preferred_assignor(const Counts& votes, std::string_view default_assignor) {
  std::string_view best = default_assignor;
  std::int32_t most = std::max(count_of(votes, default_assignor), 0);
  for (const auto& [name, count] : votes) {
    if (count > most) {
      best = name;
      most = count;
    }
  }
  return best;
}

Target update_target(const Step& step, std::string_view id, const ConsumerGroup& group, protocol::GroupEpoch epoch,
                     const ConsumerMember& old, const ConsumerMember& member) {
  if (group.assignment_epoch >= epoch || !is_interval_over(step, id, group) || is_assigning(step, id)) {
    return {group.assignment_epoch, last_target(group, member)};
  }

  // 1. The assignor that most members ask for.
  Counts votes = group.assignor_votes;
  if (old.server_assignor) add_count(votes, *old.server_assignor, -1);
  if (member.server_assignor) add_count(votes, *member.server_assignor, 1);
  const std::string& default_assignor = step.config.consumer_assignors.front();
  const std::string_view wanted = preferred_assignor(votes, default_assignor);
  const bool is_served =
      std::ranges::find(step.config.consumer_assignors, wanted) != step.config.consumer_assignors.end();
  const PartitionAssignor* assignor = find_assignor(is_served ? wanted : default_assignor);
  CHECK(assignor != nullptr, "the configuration names only assignors that exist");

  // 2. Computed here, or by a job when the group is large.
  GroupSpec spec = make_spec(group, member, *step.context.metadata);
  if (step.config.consumer_assignor_offload && work_of(spec) >= kOffloadFrom) {
    start_job(step, id, group, epoch, member, *assignor, std::move(spec));
    return {group.assignment_epoch, last_target(group, member)};
  }
  const GroupAssignment assignment = assignor->assign(spec);
  append_target_records(step, id, group, epoch, assignment.members);
  log::debug(kLogName, "[{}] new target assignment for epoch {} by {}", id, epoch, assignor->name());
  const auto it = assignment.members.find(member.id);
  return {epoch, it != assignment.members.end() ? it->second : PartitionsByTopic{}};
}

void on_assignment_computed(const Step& step, const protocol::GroupId& id, const ComputedAssignment& result) {
  step.state.soft.assigning.erase(id);
  const ConsumerGroup* group = step.state.find_consumer_group(id.value());
  // Stale: the records of the step that began the job were refused, or the group may have been made anew since.
  if (group == nullptr || group->assignment_epoch >= result.epoch || group->epoch < result.epoch) return;
  if (step.state.last_deletion != result.last_deletion) return;

  // Members may have left and static ones may have been replaced meanwhile. Who joined since then has no part in it
  // and gets one with the next target, which is due already: the group's epoch is ahead.
  std::map<protocol::MemberId, PartitionsByTopic> targets;
  for (const auto& [member_id, member] : group->members) {
    auto it = result.assignment.members.find(member_id);
    if (it == result.assignment.members.end() && member.instance_id) {
      const auto holder = result.static_members.find(*member.instance_id);
      if (holder != result.static_members.end()) it = result.assignment.members.find(holder->second);
    }
    if (it != result.assignment.members.end()) {
      targets.emplace(member_id, it->second);
    } else if (!group->target_of(member_id.value()).empty()) {
      targets.emplace(member_id, PartitionsByTopic{});
    }
  }
  append_target_records(step, id.value(), *group, result.epoch, targets);
}

}  // namespace cohort::coordinator
