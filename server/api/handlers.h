// The handler of every served API, one file each. A handler owns its call: it answers at once, or moves the call into
// what waits for the answer. Runs on the connection's reactor. The request borrows from call.frame().
#pragma once

#include "server/api/call.h"

namespace cohort::protocol {
struct AlterConfigsRequest;
struct ApiVersionsRequest;
struct ConsumerGroupDescribeRequest;
struct ConsumerGroupHeartbeatRequest;
struct CreatePartitionsRequest;
struct CreateTopicsRequest;
struct DeleteGroupsRequest;
struct DeleteRecordsRequest;
struct DeleteTopicsRequest;
struct DescribeAclsRequest;
struct DescribeClientQuotasRequest;
struct DescribeClusterRequest;
struct DescribeConfigsRequest;
struct DescribeGroupsRequest;
struct DescribeLogDirsRequest;
struct DescribeProducersRequest;
struct DescribeQuorumRequest;
struct DescribeTopicPartitionsRequest;
struct DescribeUserScramCredentialsRequest;
struct FetchRequest;
struct FindCoordinatorRequest;
struct HeartbeatRequest;
struct IncrementalAlterConfigsRequest;
struct InitProducerIdRequest;
struct JoinGroupRequest;
struct LeaveGroupRequest;
struct ListConfigResourcesRequest;
struct ListGroupsRequest;
struct ListOffsetsRequest;
struct ListPartitionReassignmentsRequest;
struct MetadataRequest;
struct OffsetCommitRequest;
struct OffsetDeleteRequest;
struct OffsetFetchRequest;
struct OffsetForLeaderEpochRequest;
struct ProduceRequest;
struct SyncGroupRequest;
}  // namespace cohort::protocol

namespace cohort::api {

void handle_alter_configs(Call call, protocol::AlterConfigsRequest request);
void handle_api_versions(Call call, protocol::ApiVersionsRequest request);
void handle_consumer_group_describe(Call call, protocol::ConsumerGroupDescribeRequest request);
void handle_consumer_group_heartbeat(Call call, protocol::ConsumerGroupHeartbeatRequest request);
void handle_create_partitions(Call call, protocol::CreatePartitionsRequest request);
void handle_create_topics(Call call, protocol::CreateTopicsRequest request);
void handle_delete_groups(Call call, protocol::DeleteGroupsRequest request);
void handle_delete_records(Call call, protocol::DeleteRecordsRequest request);
void handle_delete_topics(Call call, protocol::DeleteTopicsRequest request);
void handle_describe_acls(Call call, protocol::DescribeAclsRequest request);
void handle_describe_client_quotas(Call call, protocol::DescribeClientQuotasRequest request);
void handle_describe_cluster(Call call, protocol::DescribeClusterRequest request);
void handle_describe_configs(Call call, protocol::DescribeConfigsRequest request);
void handle_describe_groups(Call call, protocol::DescribeGroupsRequest request);
void handle_describe_log_dirs(Call call, protocol::DescribeLogDirsRequest request);
void handle_describe_producers(Call call, protocol::DescribeProducersRequest request);
void handle_describe_quorum(Call call, protocol::DescribeQuorumRequest request);
void handle_describe_topic_partitions(Call call, protocol::DescribeTopicPartitionsRequest request);
void handle_describe_user_scram_credentials(Call call, protocol::DescribeUserScramCredentialsRequest request);
void handle_fetch(Call call, protocol::FetchRequest request);
void handle_find_coordinator(Call call, protocol::FindCoordinatorRequest request);
void handle_heartbeat(Call call, protocol::HeartbeatRequest request);
void handle_incremental_alter_configs(Call call, protocol::IncrementalAlterConfigsRequest request);
void handle_init_producer_id(Call call, protocol::InitProducerIdRequest request);
void handle_join_group(Call call, protocol::JoinGroupRequest request);
void handle_leave_group(Call call, protocol::LeaveGroupRequest request);
void handle_list_config_resources(Call call, protocol::ListConfigResourcesRequest request);
void handle_list_groups(Call call, protocol::ListGroupsRequest request);
void handle_list_offsets(Call call, protocol::ListOffsetsRequest request);
void handle_list_partition_reassignments(Call call, protocol::ListPartitionReassignmentsRequest request);
void handle_metadata(Call call, protocol::MetadataRequest request);
void handle_offset_commit(Call call, protocol::OffsetCommitRequest request);
void handle_offset_delete(Call call, protocol::OffsetDeleteRequest request);
void handle_offset_fetch(Call call, protocol::OffsetFetchRequest request);
void handle_offset_for_leader_epoch(Call call, protocol::OffsetForLeaderEpochRequest request);
void handle_produce(Call call, protocol::ProduceRequest request);
void handle_sync_group(Call call, protocol::SyncGroupRequest request);

// Small requests for named partitions only, see api_table.h.
bool overlaps_offset_fetch(std::int16_t version, std::span<const std::byte> body);

// ApiVersions of a version that is not known: the body is not looked at.
void handle_unknown_api_versions(Call call, std::span<const std::byte> body);

}  // namespace cohort::api
