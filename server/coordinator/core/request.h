// Everything that can be asked of one shard, and its answers. Single-group APIs use Kafka's messages as they are; APIs
// that name many groups are cut by `api` into one of the smaller requests below per shard, as Kafka's GroupCoordinator
// does.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "protocol/messages/consumer_group_describe_response.h"
#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/delete_groups_response.h"
#include "protocol/messages/describe_groups_response.h"
#include "protocol/messages/heartbeat_request.h"
#include "protocol/messages/heartbeat_response.h"
#include "protocol/messages/join_group_request.h"
#include "protocol/messages/join_group_response.h"
#include "protocol/messages/leave_group_request.h"
#include "protocol/messages/leave_group_response.h"
#include "protocol/messages/list_groups_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_delete_request.h"
#include "protocol/messages/offset_delete_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/messages/sync_group_request.h"
#include "protocol/messages/sync_group_response.h"
#include "protocol/records/group_record.h"
#include "protocol/types/error_code.h"
#include "protocol/types/ids.h"

namespace cohort::coordinator {

// Who asks; member records keep both. Borrowed from the connection's frame, as the request is.
struct ClientInfo {
  protocol::Text client_id;
  protocol::Text client_host;  // as Kafka prints it, with a leading "/"
};

struct ConsumerHeartbeat {
  ClientInfo client;
  protocol::ConsumerGroupHeartbeatRequest request;
  std::int16_t version = 0;
  // Of a member that joins a consumer group by JoinGroup, which the coordinator turns into such a heartbeat.
  std::optional<protocol::ConsumerGroupMemberMetadataValue::ClassicMemberMetadata> classic = {};
};
struct JoinGroup {
  ClientInfo client;
  protocol::JoinGroupRequest request;
  std::int16_t version = 0;
};
struct SyncGroup {
  protocol::SyncGroupRequest request;
  std::int16_t version = 0;
};
struct ClassicHeartbeat {
  protocol::HeartbeatRequest request;
};
struct LeaveGroup {
  protocol::LeaveGroupRequest request;  // `api` fills in `members` whatever the version
};
struct CommitOffsets {
  // Topic names and ids both filled in by `api`, unknown topics already answered there.
  protocol::OffsetCommitRequest request;
  std::int16_t version = 0;
  // Of the MetadataView that `api` knew the topics from. A shard is given each view before `api` sees it, so its own is
  // never older: a topic that it does not know was deleted meanwhile.
  std::int64_t metadata_version = 0;
};
struct FetchOffsets {
  protocol::OffsetFetchRequest::OffsetFetchRequestGroup group;  // null topics: all of the group
  bool require_stable = false;
};
struct DeleteOffsets {
  protocol::OffsetDeleteRequest request;
};
struct DescribeConsumerGroups {
  std::vector<protocol::GroupId> groups;
};
struct DescribeClassicGroups {
  std::vector<protocol::GroupId> groups;
  std::int16_t version = 0;  // from 6 on a missing group is an error
};
struct DeleteGroups {
  std::vector<protocol::GroupId> groups;
};
struct ListGroups {
  std::vector<std::string> states;  // empty: all; compared without case
  std::vector<std::string> types;   // empty: all; compared without case
};
using GroupRequest =
    std::variant<ConsumerHeartbeat, JoinGroup, SyncGroup, ClassicHeartbeat, LeaveGroup, CommitOffsets, FetchOffsets,
                 DeleteOffsets, DescribeConsumerGroups, DescribeClassicGroups, DeleteGroups, ListGroups>;

// The shard could not serve the request at all: loading, failed, queue full, record too large. `api` turns the code
// into the answer that this API gives for it.
struct Refused {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::string message;
};
using ConsumerGroupDescriptions = std::vector<protocol::ConsumerGroupDescribeResponse::DescribedGroup>;
using ClassicGroupDescriptions = std::vector<protocol::DescribeGroupsResponse::DescribedGroup>;
using DeletedGroups = std::vector<protocol::DeleteGroupsResponse::DeletableGroupResult>;
using ListedGroups = std::vector<protocol::ListGroupsResponse::ListedGroup>;
using GroupResponse =
    std::variant<Refused, protocol::ConsumerGroupHeartbeatResponse, protocol::JoinGroupResponse,
                 protocol::SyncGroupResponse, protocol::HeartbeatResponse, protocol::LeaveGroupResponse,
                 protocol::OffsetCommitResponse, protocol::OffsetFetchResponse::OffsetFetchResponseGroup,
                 protocol::OffsetDeleteResponse, ConsumerGroupDescriptions, ClassicGroupDescriptions, DeletedGroups,
                 ListedGroups>;

}  // namespace cohort::coordinator
