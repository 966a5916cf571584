#include "server/api/api_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "protocol/frame/request_header.h"
#include "protocol/messages/alter_configs_request.h"
#include "protocol/messages/alter_configs_response.h"
#include "protocol/messages/api_versions_request.h"
#include "protocol/messages/api_versions_response.h"
#include "protocol/messages/consumer_group_describe_request.h"
#include "protocol/messages/consumer_group_describe_response.h"
#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/create_partitions_request.h"
#include "protocol/messages/create_partitions_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_groups_request.h"
#include "protocol/messages/delete_groups_response.h"
#include "protocol/messages/delete_records_request.h"
#include "protocol/messages/delete_records_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "protocol/messages/describe_acls_request.h"
#include "protocol/messages/describe_acls_response.h"
#include "protocol/messages/describe_client_quotas_request.h"
#include "protocol/messages/describe_client_quotas_response.h"
#include "protocol/messages/describe_cluster_request.h"
#include "protocol/messages/describe_cluster_response.h"
#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "protocol/messages/describe_groups_request.h"
#include "protocol/messages/describe_groups_response.h"
#include "protocol/messages/describe_log_dirs_request.h"
#include "protocol/messages/describe_log_dirs_response.h"
#include "protocol/messages/describe_producers_request.h"
#include "protocol/messages/describe_producers_response.h"
#include "protocol/messages/describe_quorum_request.h"
#include "protocol/messages/describe_quorum_response.h"
#include "protocol/messages/describe_topic_partitions_request.h"
#include "protocol/messages/describe_topic_partitions_response.h"
#include "protocol/messages/describe_user_scram_credentials_request.h"
#include "protocol/messages/describe_user_scram_credentials_response.h"
#include "protocol/messages/fetch_request.h"
#include "protocol/messages/fetch_response.h"
#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "protocol/messages/incremental_alter_configs_request.h"
#include "protocol/messages/incremental_alter_configs_response.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/join_group_response.h"
#include "protocol/messages/leave_group_request.h"
#include "protocol/messages/leave_group_response.h"
#include "protocol/messages/list_config_resources_request.h"
#include "protocol/messages/list_config_resources_response.h"
#include "protocol/messages/list_groups_request.h"
#include "protocol/messages/list_groups_response.h"
#include "protocol/messages/list_offsets_request.h"
#include "protocol/messages/list_offsets_response.h"
#include "protocol/messages/list_partition_reassignments_request.h"
#include "protocol/messages/list_partition_reassignments_response.h"
#include "protocol/messages/metadata_request.h"
#include "protocol/messages/metadata_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_delete_request.h"
#include "protocol/messages/offset_delete_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/messages/offset_for_leader_epoch_request.h"
#include "protocol/messages/offset_for_leader_epoch_response.h"
#include "protocol/messages/produce_request.h"
#include "protocol/messages/produce_response.h"
#include "protocol/messages/sync_group_request.h"
#include "protocol/messages/sync_group_response.h"
#include "protocol/wire/byte_reader.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using namespace protocol;  // NOLINT(google-build-using-namespace): forty message names

bool always(std::int16_t /*version*/, std::span<const std::byte> /*body*/) {
  return true;
}
bool never(std::int16_t /*version*/, std::span<const std::byte> /*body*/) {
  return false;
}

template <typename Request, void (*Handle)(Call, Request)>
void decode_and_handle(Call call, std::span<const std::byte> body) {
  ByteReader reader(body);
  Request request;
  read(reader, request, call.version());
  // Bytes that follow are let pass, as in Kafka.
  if (!reader.ok()) {
    call.refuse(fmt::format("its {} v{} cannot be read at byte {}: {}", Request::kName, call.version(), reader.offset(),
                            reader.reason()));
    return;
  }
  Handle(std::move(call), std::move(request));
}

template <typename Request, typename Response, void (*Handle)(Call, Request)>
constexpr ApiRow row(Overlaps overlaps) {
  static_assert(Request::kApiKey == Response::kApiKey && Request::kMaxVersion == Response::kMaxVersion);
  return {.key = Request::kApiKey,
          .name = Request::kName.substr(0, Request::kName.size() - std::string_view("Request").size()),
          .min_version = Request::kMinVersion,
          .max_version = Request::kLatestStable,
          .announced_min = Request::kMinVersion,
          .overlaps = overlaps,
          .handle = &decode_and_handle<Request, Handle>};
}

constexpr ApiRow produce_row() {
  ApiRow made = row<ProduceRequest, ProduceResponse, handle_produce>(always);
  made.announced_min = 0;
  return made;
}

constexpr auto kTable = [] {
  std::array table{
      produce_row(),
      row<FetchRequest, FetchResponse, handle_fetch>(never),
      row<ListOffsetsRequest, ListOffsetsResponse, handle_list_offsets>(never),
      row<MetadataRequest, MetadataResponse, handle_metadata>(never),
      row<OffsetCommitRequest, OffsetCommitResponse, handle_offset_commit>(always),
      row<OffsetFetchRequest, OffsetFetchResponse, handle_offset_fetch>(overlaps_offset_fetch),
      row<FindCoordinatorRequest, FindCoordinatorResponse, handle_find_coordinator>(never),
      row<JoinGroupRequest, JoinGroupResponse, handle_join_group>(never),
      row<HeartbeatRequest, HeartbeatResponse, handle_heartbeat>(always),
      row<LeaveGroupRequest, LeaveGroupResponse, handle_leave_group>(never),
      row<SyncGroupRequest, SyncGroupResponse, handle_sync_group>(never),
      row<DescribeGroupsRequest, DescribeGroupsResponse, handle_describe_groups>(never),
      row<ListGroupsRequest, ListGroupsResponse, handle_list_groups>(never),
      row<ApiVersionsRequest, ApiVersionsResponse, handle_api_versions>(never),
      row<CreateTopicsRequest, CreateTopicsResponse, handle_create_topics>(never),
      row<DeleteTopicsRequest, DeleteTopicsResponse, handle_delete_topics>(never),
      row<DeleteRecordsRequest, DeleteRecordsResponse, handle_delete_records>(never),
      row<InitProducerIdRequest, InitProducerIdResponse, handle_init_producer_id>(never),
      row<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, handle_offset_for_leader_epoch>(never),
      row<DescribeAclsRequest, DescribeAclsResponse, handle_describe_acls>(never),
      row<DescribeConfigsRequest, DescribeConfigsResponse, handle_describe_configs>(never),
      row<AlterConfigsRequest, AlterConfigsResponse, handle_alter_configs>(never),
      row<DescribeLogDirsRequest, DescribeLogDirsResponse, handle_describe_log_dirs>(never),
      row<CreatePartitionsRequest, CreatePartitionsResponse, handle_create_partitions>(never),
      row<DeleteGroupsRequest, DeleteGroupsResponse, handle_delete_groups>(never),
      row<IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse, handle_incremental_alter_configs>(never),
      row<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse, handle_list_partition_reassignments>(
          never),
      row<OffsetDeleteRequest, OffsetDeleteResponse, handle_offset_delete>(never),
      row<DescribeClientQuotasRequest, DescribeClientQuotasResponse, handle_describe_client_quotas>(never),
      row<DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
          handle_describe_user_scram_credentials>(never),
      row<DescribeQuorumRequest, DescribeQuorumResponse, handle_describe_quorum>(never),
      row<DescribeClusterRequest, DescribeClusterResponse, handle_describe_cluster>(never),
      row<DescribeProducersRequest, DescribeProducersResponse, handle_describe_producers>(never),
      row<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, handle_consumer_group_heartbeat>(always),
      row<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, handle_consumer_group_describe>(never),
      row<ListConfigResourcesRequest, ListConfigResourcesResponse, handle_list_config_resources>(never),
      row<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, handle_describe_topic_partitions>(never),
  };
  return table;
}();
static_assert(std::ranges::is_sorted(kTable, {}, &ApiRow::key));

constexpr std::size_t kKeyCount = static_cast<std::size_t>(kTable.back().key) + 1;
constexpr auto kIndex = [] {
  std::array<const ApiRow*, kKeyCount> index{};
  for (const ApiRow& made : kTable) index[static_cast<std::size_t>(made.key)] = &made;
  return index;
}();

}  // namespace

std::span<const ApiRow> api_table() {
  return kTable;
}

const ApiRow* find_api(std::int16_t key) {
  const auto index = static_cast<std::size_t>(key);
  return key >= 0 && index < kIndex.size() ? kIndex[index] : nullptr;
}

Result<ParsedRequest> parse_request(std::span<const std::byte> frame) {
  ByteReader reader(frame);
  auto start = read_request_header(reader);
  if (!start && start.error().kind == ErrorKind::kUnsupported) return std::unexpected(start.error());
  if (!start)
    return fail(start.error().kind, fmt::format("its request's header cannot be read: {}", start.error().message));
  ParsedRequest request;
  request.row = find_api(static_cast<std::int16_t>(start->api->key));
  request.head.version = start->version;
  request.head.correlation_id = start->correlation_id;
  if (!start->version_known) {
    request.handle = handle_unknown_api_versions;
    return request;
  }
  if (request.row == nullptr || start->version < request.row->min_version ||
      start->version > request.row->max_version) {
    return fail(ErrorKind::kUnsupported, fmt::format("{} v{} is not served", start->api->name, start->version));
  }
  if (start->client_id) request.head.client_id = start->client_id->view();  // decoded, so it borrows from the frame
  request.body = frame.subspan(reader.offset());
  request.overlaps = request.row->overlaps(start->version, request.body);
  request.handle = request.row->handle;
  return request;
}

}  // namespace cohort::api
