// The only place that changes the hard state of consumer groups: one function per record type. Called at run time and
// on replay alike. A tombstone of what is not there is normal (compaction may have removed the rest); a record that
// contradicts the state is an error, which fails the shard: then the log is damaged, or a decision was wrong.
// After the replay methods of Kafka's GroupMetadataManager.
#pragma once

#include <cstdint>

#include "protocol/base/result.h"
#include "protocol/records/group_record.h"
#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

Result<void> apply(GroupState& state, const protocol::ConsumerGroupMetadataRecord& record, std::int64_t offset);
Result<void> apply(GroupState& state, const protocol::ConsumerGroupPartitionMetadataRecord& record,
                   std::int64_t offset);
Result<void> apply(GroupState& state, const protocol::ConsumerGroupMemberMetadataRecord& record, std::int64_t offset);
Result<void> apply(GroupState& state, const protocol::ConsumerGroupTargetAssignmentMetadataRecord& record,
                   std::int64_t offset);
Result<void> apply(GroupState& state, const protocol::ConsumerGroupTargetAssignmentMemberRecord& record,
                   std::int64_t offset);
Result<void> apply(GroupState& state, const protocol::ConsumerGroupCurrentMemberAssignmentRecord& record,
                   std::int64_t offset);
Result<void> apply(GroupState& state, const protocol::ConsumerGroupRegularExpressionRecord& record,
                   std::int64_t offset);

}  // namespace cohort::coordinator
