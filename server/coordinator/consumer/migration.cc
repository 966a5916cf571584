#include "server/coordinator/consumer/migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "protocol/base/check.h"
#include "protocol/base/log.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/classic/consumer_metadata.h"
#include "server/coordinator/consumer/counts.h"
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/records.h"
#include "server/coordinator/core/apply.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

GroupError cannot(std::string_view id, std::string_view why) {
  log::info(kLogName, "[{}] the classic group cannot be upgraded to a consumer group: {}", id, why);
  return {ErrorCode::kGroupIdNotFound, fmt::format("Cannot upgrade classic group {} to consumer group: {}.", id, why)};
}

// Why the group stays classic; empty: it may change.
std::string_view why_not(const Step& step, const Round& round) {
  if (!config::allows_upgrade(step.config.consumer_migration_policy)) return "online upgrade is disabled";
  if (!round.uses_consumer_protocol()) return "it does not use the consumer embedded protocol";
  if (std::ssize(round.members()) > step.config.consumer_max_size) return "it is too large for a consumer group";
  return {};
}

// A member, and what it said it had when it last joined.
struct Upgraded {
  ConsumerMember member;
  PartitionsByTopic claimed;
};

PartitionsByTopic claimed_by(const protocol::ConsumerProtocolSubscription& subscription, const MetadataView& metadata) {
  PartitionsByTopic claimed;
  for (const auto& owned : subscription.owned_partitions) {
    const TopicView* topic = metadata.find(owned.topic.view());
    if (topic == nullptr) continue;
    std::ranges::copy_if(owned.partitions, std::back_inserter(claimed[topic->id]),
                         [topic](std::int32_t partition) { return partition >= 0 && partition < topic->partitions; });
  }
  return claimed;
}

// The member as it was in the last generation, stable there.
Result<Upgraded> upgraded_member(const RoundMember& from, std::string_view protocol, protocol::MemberEpoch epoch,
                                 const MetadataView& metadata) {
  auto subscription = read_subscription(from.metadata(protocol).view());
  if (!subscription) return std::unexpected(std::move(subscription.error()));
  auto assigned = read_assignment(from.assignment.view(), metadata);
  if (!assigned) return std::unexpected(std::move(assigned.error()));

  ConsumerMember member;
  member.id = from.id;
  member.instance_id = from.instance_id;
  if (subscription->rack_id) member.rack_id = subscription->rack_id->str();
  member.client_id = from.client_id;
  member.client_host = from.client_host;
  member.rebalance_timeout_ms = from.rebalance_timeout_ms;
  member.subscribed_topics = sorted_names(subscription->topics);
  member.classic = classic_metadata(from.session_timeout_ms, from.protocols);
  member.epoch = member.previous_epoch = epoch;
  for (const auto& [topic, partitions] : *assigned) {
    for (const std::int32_t partition : partitions) member.assigned[topic].push_back({partition, epoch});
  }
  return Upgraded{std::move(member), claimed_by(*subscription, metadata)};
}

// A member of a cooperative protocol reads on while it joins, and gives up what it shall when it hears of it. What it
// said it had and nobody was given is therefore still its own: given to a member of the consumer protocol now, it would
// have two readers. Kafka 4.3.1 looks at the assignments alone.
std::vector<ConsumerMember> with_claims(std::vector<Upgraded> upgraded) {
  std::unordered_set<TopicPartition, TopicPartitionHash> taken;
  for (const auto& [member, claimed] : upgraded) {
    for (const auto& [topic, partitions] : member.assigned) {
      for (const OwnedPartition& one : partitions) taken.insert({topic, one.partition});
    }
  }
  std::vector<ConsumerMember> members;
  for (auto& [member, claimed] : upgraded) {
    for (const auto& [topic, partitions] : claimed) {
      for (const std::int32_t partition : partitions) {
        if (!taken.insert({topic, partition}).second) continue;
        member.assigned[topic].push_back({partition, member.epoch});
      }
      const auto assigned = member.assigned.find(topic);
      if (assigned != member.assigned.end()) std::ranges::sort(assigned->second, {}, &OwnedPartition::partition);
    }
    members.push_back(std::move(member));
  }
  return members;
}

// In the order of Kafka's createConsumerGroupRecords.
std::vector<protocol::GroupRecord> records_of(std::string_view id, const std::vector<ConsumerMember>& members,
                                              protocol::GroupEpoch epoch, const MetadataView& metadata) {
  SubscriptionCounts subscribed;
  for (const ConsumerMember& member : members) {
    for (const auto& topic : member.subscribed_topics) add_by_name(subscribed, topic, 1);
  }
  std::vector<protocol::GroupRecord> records;
  for (const ConsumerMember& member : members) records.push_back(member_record(id, member));
  records.push_back(group_epoch_record(id, epoch, metadata_hash(subscribed, metadata)));
  for (const ConsumerMember& member : members) {
    records.push_back(target_record(id, member.id.value(), partitions_of(member.assigned)));
  }
  records.push_back(target_metadata_record(id, epoch, 0));
  for (const ConsumerMember& member : members) records.push_back(current_assignment_record(id, member));
  return records;
}

// The group that the records make.
Result<ConsumerGroup> group_of(std::string_view id, const std::vector<protocol::GroupRecord>& records,
                               std::int64_t after) {
  GroupState scratch;
  for (const auto& record : records) {
    if (auto applied = coordinator::apply(scratch, record, after); !applied) return std::unexpected(applied.error());
  }
  const auto made = scratch.consumer_groups.find(id);
  CHECK(made != scratch.consumer_groups.end(), "the records of a group make it");
  return std::move(made->second);
}

// Those who stay when these go.
std::vector<const ConsumerMember*> staying_without(const ConsumerGroup& group,
                                                   std::span<const ConsumerMember* const> leaving) {
  std::vector<const ConsumerMember*> staying;
  for (const auto& [id, member] : group.members) {
    if (std::ranges::find(leaving, &member) == leaving.end()) staying.push_back(&member);
  }
  return staying;
}

}  // namespace

std::expected<ConsumerGroup, GroupError> upgrade(const Step& step, std::string_view id) {
  const FoundGroup found = find_group(step.state, id);
  const Round& round = *found.round;
  if (const std::string_view why = why_not(step, round); !why.empty()) return std::unexpected(cannot(id, why));

  // 1. Its members, as of their last assignment. A group that has never had one begins like any other.
  const MetadataView& metadata = *step.context.metadata;
  const std::int32_t generation = std::max(round.generation().value(), 1);
  // In its first rebalance it has chosen no protocol; and all may have left it again.
  std::string protocol = round.protocol().value_or("");
  if (!round.protocol() && !round.members().empty()) protocol = round.select_protocol();
  std::vector<Upgraded> upgraded;
  for (const auto& [member_id, from] : round.members()) {
    auto member = upgraded_member(from, protocol, protocol::MemberEpoch(generation), metadata);
    if (!member) return std::unexpected(cannot(id, member.error().message));
    upgraded.push_back(std::move(*member));
  }
  const std::vector<ConsumerMember> members = with_claims(std::move(upgraded));

  // 2. The group, made of its records as they will be applied.
  const auto records = records_of(id, members, protocol::GroupEpoch(generation), metadata);
  auto group = group_of(id, records, found.classic->last_record);
  if (!group) return std::unexpected(cannot(id, group.error().message));

  log::info(kLogName, "[{}] the classic group of {} members becomes a consumer group", id, members.size());
  step.output.records.push_back(protocol::GroupMetadataRecord{.key = {.group = id}, .value = {}});
  step.output.records.insert(step.output.records.end(), records.begin(), records.end());
  cancel_round_timers(step, id);
  for (const ConsumerMember& member : members) restart_session(step, id, member, true);
  return std::move(*group);
}

bool is_one_known_to_all(const ConsumerGroup& group, const ClassicProtocols& protocols) {
  return std::ranges::any_of(protocols, [&group](const auto& protocol) {
    return std::ranges::all_of(group.members, [&protocol](const auto& entry) {
      const auto& classic = entry.second.classic;
      return !classic || std::ranges::any_of(classic->supported_protocols,
                                             [&](const auto& known) { return known.name == protocol.name; });
    });
  });
}

bool can_downgrade_without(const Step& step, std::string_view id, const ConsumerGroup& group,
                           std::span<const ConsumerMember* const> leaving) {
  const auto staying = staying_without(group, leaving);
  const auto is_classic = [](const ConsumerMember* member) { return member->classic.has_value(); };
  if (staying.empty() || !std::ranges::all_of(staying, is_classic)) return false;
  if (!is_one_known_to_all(group, protocols_of(*staying.front()->classic))) return false;  // of a foreign log
  if (!config::allows_downgrade(step.config.consumer_migration_policy)) {
    log::info(kLogName, "[{}] the consumer group stays one: online downgrade is disabled", id);
    return false;
  }
  if (std::ssize(staying) > step.config.classic_max_size) {
    log::info(kLogName, "[{}] the consumer group stays one: it is too large for a classic group", id);
    return false;
  }
  return true;
}

void downgrade_without(const Step& step, std::string_view id, const ConsumerGroup& group,
                       std::span<const ConsumerMember* const> leaving) {
  log::info(kLogName, "[{}] the consumer group becomes a classic group", id);
  append_group_tombstones(protocol::GroupId(std::string(id)), group, step.output);
  for (const auto& [member_id, member] : group.members) cancel_timers(step, id, member_id.value());
  begin_classic_group(step, id, group, staying_without(group, leaving));
}

}  // namespace cohort::coordinator
