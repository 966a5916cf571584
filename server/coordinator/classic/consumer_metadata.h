// What classic consumers and their leaders write into JoinGroup and SyncGroup: version and subscription or assignment
// of the embedded consumer protocol; and what a consumer group keeps of a member that uses it. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/messages/consumer_protocol_subscription.h"
#include "protocol/records/group_record.h"
#include "protocol/wire/bytes.h"
#include "protocol/wire/text.h"
#include "server/coordinator/classic/round.h"
#include "server/coordinator/core/assignment.h"
#include "server/coordinator/core/metadata_view.h"

namespace cohort::coordinator {

inline constexpr std::string_view kConsumerProtocolType = "consumer";

// The topics that it subscribes to, borrowed from the metadata. Read as version 0, with which all later ones begin, so
// that clients newer than this server are understood (Kafka: ClassicGroup.computeSubscribedTopics).
Result<std::vector<protocol::Text>> read_subscribed_topics(std::span<const std::byte> metadata);

// All of it; what versions later than this server's add is not seen. Borrows from the metadata.
Result<protocol::ConsumerProtocolSubscription> read_subscription(std::span<const std::byte> metadata);
// Empty bytes are an empty assignment. Topics that do not exist are left out. An error when the assignor has stored
// something of its own in it, which nobody here could give back.
Result<PartitionsByTopic> read_assignment(std::span<const std::byte> bytes, const MetadataView& metadata);
// Version 0, which every client can read.
protocol::Bytes write_subscription(std::vector<protocol::Text> topics);
// In the version of this subscription, which is what the member understands. Topics that are gone are left out.
protocol::Bytes write_assignment(const PartitionsByTopic& partitions, std::span<const std::byte> subscription,
                                 const MetadataView& metadata);

using ClassicMemberMetadata = protocol::ConsumerGroupMemberMetadataValue::ClassicMemberMetadata;
ClassicMemberMetadata classic_metadata(std::int32_t session_timeout_ms, const ClassicProtocols& protocols);
ClassicProtocols protocols_of(const ClassicMemberMetadata& metadata);

}  // namespace cohort::coordinator
