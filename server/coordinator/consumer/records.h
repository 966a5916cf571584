// The records of consumer groups, as Kafka's GroupCoordinatorRecordHelpers makes them: one function per record that a
// decision may need, so that the shape of a record stands in one place. Lists are sorted. Pure functions.
#pragma once

#include <string_view>

#include "protocol/records/group_record.h"
#include "server/coordinator/consumer/consumer_group.h"

namespace cohort::coordinator {

protocol::GroupRecord member_record(std::string_view group, const ConsumerMember& member);
protocol::GroupRecord member_tombstone(std::string_view group, std::string_view member);

protocol::GroupRecord group_epoch_record(std::string_view group, protocol::GroupEpoch epoch,
                                         std::int64_t metadata_hash);
protocol::GroupRecord group_epoch_tombstone(std::string_view group);

protocol::GroupRecord target_record(std::string_view group, std::string_view member, const PartitionsByTopic& target);
protocol::GroupRecord target_tombstone(std::string_view group, std::string_view member);

protocol::GroupRecord target_metadata_record(std::string_view group, protocol::GroupEpoch epoch, std::int64_t wall_ms);
protocol::GroupRecord target_metadata_tombstone(std::string_view group);

protocol::GroupRecord current_assignment_record(std::string_view group, const ConsumerMember& member);
protocol::GroupRecord current_assignment_tombstone(std::string_view group, std::string_view member);

protocol::GroupRecord regex_record(std::string_view group, std::string_view regex, const ResolvedRegex& resolved);
protocol::GroupRecord regex_tombstone(std::string_view group, std::string_view regex);

// What Kafka before 4.1 kept of the subscribed topics; only ever removed.
protocol::GroupRecord partition_metadata_tombstone(std::string_view group);

}  // namespace cohort::coordinator
