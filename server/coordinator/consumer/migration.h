// Groups with members that change their protocol (KIP-848, "Online Migration"): a classic group becomes a consumer
// group when a member joins by ConsumerGroupHeartbeat, and a classic one again when only members of the classic
// protocol are left. Members, assignments and offsets stay. In one step: the records that remove the one and make the
// other. After Kafka's convertToConsumerGroup, convertToClassicGroup, ConsumerGroup.fromClassicGroup, ClassicGroup
// .fromConsumerGroup. Functions of the consumer family, on the shard's thread.
#pragma once

#include <expected>
#include <span>
#include <string_view>

#include "server/coordinator/consumer/consumer_groups.h"

namespace cohort::coordinator {

// The classic group as a consumer group, with its members as members of the classic protocol and its generation as
// epoch; adds the records and their session timers. The error, and nothing is added, when it cannot be one: the policy
// forbids it, it is no group of consumers, it is too large, an assignor of its own would lose what it stored.
// Who waits in the classic group's round is not answered yet: that is end_round(), once the upgrade is decided.
std::expected<ConsumerGroup, GroupError> upgrade(const Step& step, std::string_view id);

// Is one of the protocols known to every member that uses the classic one?
bool is_one_known_to_all(const ConsumerGroup& group, const ClassicProtocols& protocols);
// Would members of the classic protocol alone be left, and may and can they be a classic group?
bool can_downgrade_without(const Step& step, std::string_view id, const ConsumerGroup& group,
                           std::span<const ConsumerMember* const> leaving);
// Removes the members and makes the others a classic group that begins a rebalance.
void downgrade_without(const Step& step, std::string_view id, const ConsumerGroup& group,
                       std::span<const ConsumerMember* const> leaving);

}  // namespace cohort::coordinator
