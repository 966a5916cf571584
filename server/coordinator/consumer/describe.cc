// ConsumerGroupDescribe of one group, as Kafka's ConsumerGroup.asDescribedGroup; and DescribeGroups of it, which is
// ours.
#include <algorithm>

#include "server/coordinator/classic/consumer_metadata.h"
#include "server/coordinator/consumer/internal.h"

namespace cohort::coordinator {
namespace {

using Response = protocol::ConsumerGroupDescribeResponse;

constexpr std::int8_t kClassicMember = 0;
constexpr std::int8_t kConsumerMember = 1;

// Adds a topic's partitions; topics that are gone are left out, they have no name.
void append(Response::Assignment& to, const protocol::TopicId& id, std::vector<std::int32_t> partitions,
            const MetadataView& metadata) {
  const TopicView* topic = metadata.find(id);
  if (topic == nullptr) return;
  auto& entry = to.topic_partitions.emplace_back();
  entry.topic_id = id.value();
  entry.topic_name = protocol::Text(topic->name.value());
  entry.partitions = std::move(partitions);
}

Response::Member describe_member(const ConsumerGroup& group, const ConsumerMember& member,
                                 const MetadataView& metadata) {
  Response::Member result;
  result.member_id = protocol::Text(member.id.value());
  if (member.instance_id) result.instance_id = protocol::Text(member.instance_id->value());
  if (member.rack_id) result.rack_id = protocol::Text(*member.rack_id);
  result.member_epoch = member.epoch.value();
  result.client_id = protocol::Text(member.client_id);
  result.client_host = protocol::Text(member.client_host);
  for (const auto& topic : member.subscribed_topics) result.subscribed_topic_names.emplace_back(topic.value());
  result.subscribed_topic_regex = protocol::Text(member.subscribed_regex);
  for (auto& [topic, partitions] : responsible_for(member)) {
    append(result.assignment, topic, std::move(partitions), metadata);
  }
  for (const auto& [topic, partitions] : group.target_of(member.id.value())) {
    append(result.target_assignment, topic, partitions, metadata);
  }
  result.member_type = member.classic ? kClassicMember : kConsumerMember;
  return result;
}

// What of the classic protocol comes nearest.
std::string_view classic_state(ConsumerGroupState state) {
  switch (state) {
    case ConsumerGroupState::kAssigning:
      return "PreparingRebalance";
    case ConsumerGroupState::kReconciling:
      return "CompletingRebalance";
    case ConsumerGroupState::kEmpty:
    case ConsumerGroupState::kStable:
    case ConsumerGroupState::kDead:
      break;
  }
  return to_string(state);
}

// What it subscribes to by name, and what its regular expression matches.
std::vector<protocol::Text> subscribed_topics(const ConsumerGroup& group, const ConsumerMember& member) {
  std::vector<protocol::TopicName> names = member.subscribed_topics;
  const auto regex = group.resolved_regexes.find(member.subscribed_regex);
  if (regex != group.resolved_regexes.end()) {
    names.insert(names.end(), regex->second.topics.begin(), regex->second.topics.end());
    std::ranges::sort(names);
    names.erase(std::ranges::unique(names).begin(), names.end());
  }
  std::vector<protocol::Text> texts;
  for (const auto& name : names) texts.emplace_back(name.value());
  return texts;
}

}  // namespace

Response::DescribedGroup describe(const protocol::GroupId& id, const ConsumerGroup& group, const MetadataView& metadata,
                                  std::string_view default_assignor) {
  Response::DescribedGroup result;
  result.group_id = protocol::Text(id.value());
  result.group_state = protocol::Text(to_string(group.state()));
  result.group_epoch = group.epoch.value();
  result.assignment_epoch = group.assignment_epoch.value();
  result.assignor_name = protocol::Text(preferred_assignor(group.assignor_votes, default_assignor));
  result.members.reserve(group.members.size());
  for (const auto& [member_id, member] : group.members) {
    result.members.push_back(describe_member(group, member, metadata));
  }
  return result;
}

protocol::DescribeGroupsResponse::DescribedGroup describe_as_classic(const protocol::GroupId& id,
                                                                     const ConsumerGroup& group,
                                                                     const MetadataView& metadata,
                                                                     std::string_view default_assignor) {
  protocol::DescribeGroupsResponse::DescribedGroup result;
  result.group_id = protocol::Text(id.value());
  result.group_state = protocol::Text(classic_state(group.state()));
  result.protocol_type = protocol::Text(kConsumerProtocolType);
  result.protocol_data = protocol::Text(preferred_assignor(group.assignor_votes, default_assignor));
  result.members.reserve(group.members.size());
  for (const auto& [member_id, member] : group.members) {
    auto& out = result.members.emplace_back();
    out.member_id = protocol::Text(member_id.value());
    if (member.instance_id) out.group_instance_id = protocol::Text(member.instance_id->value());
    out.client_id = protocol::Text(member.client_id);
    out.client_host = protocol::Text(member.client_host);
    out.member_metadata = write_subscription(subscribed_topics(group, member));
    out.member_assignment = write_assignment(responsible_for(member), out.member_metadata.view(), metadata);
  }
  return result;
}

}  // namespace cohort::coordinator
