// Moves one member towards its target assignment: first it gives up what it must not keep, then it gets what nobody
// else has any more. Pure; after Kafka's CurrentAssignmentBuilder.
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "server/coordinator/consumer/consumer_group.h"
#include "server/coordinator/core/metadata_view.h"

namespace cohort::coordinator {

// What the member says it has; nothing said is no confirmation of anything.
using OwnedInRequest = std::optional<std::vector<protocol::ConsumerGroupHeartbeatRequest::TopicPartitions>>;

struct Reconciliation {
  const ConsumerGroup& group;  // for the owners of partitions and the resolved regular expressions
  const ConsumerMember& member;
  protocol::GroupEpoch target_epoch;
  const PartitionsByTopic& target;
  bool subscription_changed = false;  // by this very heartbeat
  const MetadataView& metadata;
  const OwnedInRequest& owned;
};

// The member must forget all its partitions and join again: it is in a state that a newer version wrote.
struct MustRejoin {};

// The member's next state; nothing when it stays as it is.
std::expected<std::optional<ConsumerMember>, MustRejoin> reconcile(const Reconciliation& input);

}  // namespace cohort::coordinator
