// A consumer group (KIP-848) and its members: the hard state that records make, and beside it the soft state of the
// running process. Owned by GroupState, touched on the shard's thread alone.
//
// Hard state changes only in apply.cc. Everything else sees groups as const; soft state is `mutable` there, so that the
// compiler keeps handlers away from the rest. It lies inside the group and not in tables of its own because a steady
// heartbeat then costs one look-up of the group and one of the member.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/records/group_record.h"
#include "protocol/types/ids.h"
#include "server/coordinator/core/assignment.h"
#include "server/coordinator/core/id_map.h"

namespace cohort::coordinator {

// The numbers stand in ConsumerGroupCurrentMemberAssignmentValue.
enum class MemberState : std::int8_t {
  kStable = 0,
  kUnrevokedPartitions = 1,   // has been told to give up partitions and has not confirmed it yet
  kUnreleasedPartitions = 2,  // waits for partitions that another member has not given up yet
  kUnknown = 127,             // written by a newer version
};

// A partition that a member has, and the epoch that brought it. A commit with an older member epoch is good for a
// partition as long as it is at least this epoch (KAFKA-20066).
struct OwnedPartition {
  std::int32_t partition = 0;
  protocol::MemberEpoch epoch;
  friend bool operator==(const OwnedPartition&, const OwnedPartition&) = default;
};
// Sorted by partition; no empty lists.
using OwnedPartitions = std::map<protocol::TopicId, std::vector<OwnedPartition>>;

// The same without the epochs.
PartitionsByTopic partitions_of(const OwnedPartitions& owned);
// As subscriptions are kept: sorted, without doubles.
std::vector<protocol::TopicName> sorted_names(const std::vector<protocol::Text>& texts);

// Rebuilt after load; never decides anything but when something is looked at.
struct MemberSoft {
  // A member of the classic protocol was told to join again, and a timer runs until it does.
  bool must_join = false;
  // No value: the member has not been heard of since it was created. Its timer was set by the step that created it.
  std::optional<MonoTime> session_deadline;
  std::optional<MonoTime> session_timer;  // the deadline that the driver knows; never later than session_deadline
};

struct ConsumerMember {
  protocol::MemberId id;
  std::optional<protocol::InstanceId> instance_id;
  std::optional<std::string> rack_id;
  std::string client_id;
  std::string client_host;
  std::int32_t rebalance_timeout_ms = -1;
  std::vector<protocol::TopicName> subscribed_topics;  // sorted, without doubles
  std::string subscribed_regex;                        // empty: none
  std::optional<std::string> server_assignor;
  // Set for a member that uses the classic protocol.
  std::optional<protocol::ConsumerGroupMemberMetadataValue::ClassicMemberMetadata> classic;

  protocol::MemberEpoch epoch{0};
  protocol::MemberEpoch previous_epoch{-1};
  MemberState state = MemberState::kStable;
  OwnedPartitions assigned;
  OwnedPartitions pending_revocation;

  mutable MemberSoft soft;

  // Of the hard state.
  friend bool operator==(const ConsumerMember& a, const ConsumerMember& b);
  bool is_reconciled_to(protocol::GroupEpoch target) const {
    return state == MemberState::kStable && epoch.value() == target.value();
  }
};

// The topics that a regular expression matched, as ConsumerGroupRegularExpressionValue keeps them.
struct ResolvedRegex {
  std::vector<protocol::TopicName> topics;  // sorted
  std::int64_t version = 0;                 // of the metadata view
  std::int64_t timestamp_ms = 0;            // wall time at which the resolution began
  friend bool operator==(const ResolvedRegex&, const ResolvedRegex&) = default;
};

// How many members name a topic, and how many resolved regular expressions match it.
struct SubscriptionCount {
  std::int32_t by_name = 0;
  std::int32_t by_regex = 0;
  friend bool operator==(const SubscriptionCount&, const SubscriptionCount&) = default;
};
using SubscriptionCounts = std::map<protocol::TopicName, SubscriptionCount, std::less<>>;

struct TopicPartition {
  protocol::TopicId topic;
  std::int32_t partition = 0;
  friend bool operator==(const TopicPartition&, const TopicPartition&) = default;
};
struct TopicPartitionHash {
  std::size_t operator()(const TopicPartition& key) const {
    return std::hash<protocol::TopicId>{}(key.topic) ^ (static_cast<std::size_t>(key.partition) * 0x9e3779b97f4a7c15U);
  }
};

// All that a member may still be reading: it answers for what it is to give up until it has done so.
PartitionsByTopic responsible_for(const ConsumerMember& member);

enum class ConsumerGroupState : std::uint8_t { kEmpty, kAssigning, kReconciling, kStable, kDead };
// As Kafka spells it: "Empty", "Assigning", ...
std::string_view to_string(ConsumerGroupState state);

struct GroupSoft {
  // The metadata version and the group epoch with which the subscriptions were last looked at; no value: never.
  std::optional<std::int64_t> checked_version;
  protocol::GroupEpoch checked_epoch{0};
};

struct ConsumerGroup {
  protocol::GroupEpoch epoch{1};  // an empty group has epoch 1, so its first member makes 2
  std::int64_t metadata_hash = 0;
  protocol::GroupEpoch assignment_epoch{1};  // of the target; -1 once its tombstone was seen
  std::int64_t assignment_timestamp_ms = 0;  // wall time; 0: unknown
  IdMap<protocol::MemberId, ConsumerMember> members;
  std::map<protocol::MemberId, PartitionsByTopic, std::less<>> target;
  std::map<std::string, ResolvedRegex, std::less<>> resolved_regexes;
  // The log holds a ConsumerGroupPartitionMetadata record (Kafka before 4.1): it is to be tombstoned.
  bool has_partition_metadata_record = false;

  // Derived from the above by apply, record by record.
  std::map<protocol::InstanceId, protocol::MemberId, std::less<>> static_members;
  SubscriptionCounts subscribed_topics;
  std::map<std::string, std::int32_t, std::less<>> regex_subscribers;
  std::map<std::string, std::int32_t, std::less<>> assignor_votes;
  // The epoch of the member that has a partition, also while it is to give it up. Missing: free.
  std::unordered_map<TopicPartition, protocol::MemberEpoch, TopicPartitionHash> partition_epochs;

  std::int64_t last_record = -1;  // offset of the last record about this group

  mutable GroupSoft soft;

  ConsumerGroupState state() const;  // looks at every member
  bool is_subscribed_to(std::string_view topic) const { return subscribed_topics.contains(topic); }
  const ConsumerMember* find_member(std::string_view id) const;
  const ConsumerMember* find_static_member(std::string_view instance_id) const;
  // Empty when the member has none.
  const PartitionsByTopic& target_of(std::string_view member) const;
};

}  // namespace cohort::coordinator
