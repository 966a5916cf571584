// Kafka's ids and epochs as types of their own, so that a member id is never passed where a group id is meant.
// Plain values. Generated messages carry bare Text and integers; conversion happens where a handler reads them.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/base/strong.h"
#include "protocol/types/uuid.h"

namespace cohort::protocol {

using GroupId = Strong<struct GroupIdTag, std::string>;
using MemberId = Strong<struct MemberIdTag, std::string>;
using InstanceId = Strong<struct InstanceIdTag, std::string>;  // group.instance.id of a static member
using TopicName = Strong<struct TopicNameTag, std::string>;
using TopicId = Strong<struct TopicIdTag, Uuid>;

using GroupEpoch = Strong<struct GroupEpochTag, std::int32_t>;
using MemberEpoch = Strong<struct MemberEpochTag, std::int32_t>;
using GenerationId = Strong<struct GenerationIdTag, std::int32_t>;  // of classic groups
using ProducerId = Strong<struct ProducerIdTag, std::int64_t>;

// What a member says with its epoch instead of giving one (KIP-848).
inline constexpr MemberEpoch kJoinGroupMemberEpoch{0};
inline constexpr MemberEpoch kLeaveGroupMemberEpoch{-1};
inline constexpr MemberEpoch kLeaveGroupStaticMemberEpoch{-2};  // leaves for a while, keeps its partitions

inline constexpr GenerationId kNoGeneration{-1};

}  // namespace cohort::protocol
