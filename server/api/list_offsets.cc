// ListOffsets v1-11 (key 2): offsets by time.
//   v2 isolation level; v4 leader epochs; v7 max timestamp (-3); v8 earliest local (-4); v9 latest tiered (-5); v10
//   timeout (of tiered reads, there are none); v11 earliest pending upload (-6). A special timestamp that its version
//   does not have is UNSUPPORTED_VERSION, a partition that stands twice INVALID_REQUEST (ReplicaManager.fetchOffset).
#include <map>

#include "protocol/messages/list_offsets_request.h"
#include "protocol/messages/list_offsets_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::ListOffsetsRequest;
using Response = protocol::ListOffsetsResponse;

bool is_supported(std::int64_t timestamp, std::int16_t version) {
  if (timestamp >= 0) return true;
  switch (timestamp) {
    case topics::kLatestTimestamp:
    case topics::kEarliestTimestamp:
      return true;
    case topics::kMaxTimestamp:
      return version >= 7;
    case topics::kEarliestLocalTimestamp:
      return version >= 8;
    case topics::kLatestTieredTimestamp:
      return version >= 9;
    case topics::kEarliestPendingUploadTimestamp:
      return version >= 11;
    default:
      return false;
  }
}

// v4 and older clients do not know OFFSET_NOT_AVAILABLE.
ErrorCode for_version(ErrorCode error, std::int16_t version) {
  return error == ErrorCode::kOffsetNotAvailable && version < 5 ? ErrorCode::kLeaderNotAvailable : error;
}

}  // namespace

void handle_list_offsets(Call call, Request request) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  std::map<std::pair<std::string_view, std::int32_t>, int> count;
  for (const auto& topic : request.topics) {
    for (const auto& partition : topic.partitions) ++count[{topic.name.view(), partition.partition_index}];
  }

  topics::ListOffsetsCall list;
  list.isolation = static_cast<topics::IsolationLevel>(request.isolation_level != 0);
  Response response;
  std::vector<Place> places;
  for (const auto& topic : request.topics) {
    const topics::TopicInfo* info = snapshot->find(topic.name.view());
    Response::ListOffsetsTopicResponse out;
    out.name = Text(topic.name);
    for (const auto& partition : topic.partitions) {
      Response::ListOffsetsPartitionResponse one;
      one.partition_index = partition.partition_index;
      if (count[{topic.name.view(), partition.partition_index}] > 1) {
        one.error_code = to_wire(ErrorCode::kInvalidRequest);
      } else if (!is_supported(partition.timestamp, call.version())) {
        one.error_code = to_wire(ErrorCode::kUnsupportedVersion);
      } else if (!has_partition(info, partition.partition_index)) {
        one.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
      } else {
        list.partitions.push_back({.id = {info->id, partition.partition_index},
                                   .timestamp = partition.timestamp,
                                   .current_leader_epoch = partition.current_leader_epoch});
        places.push_back({response.topics.size(), out.partitions.size()});
      }
      out.partitions.push_back(std::move(one));
    }
    response.topics.push_back(std::move(out));
  }
  if (list.partitions.empty()) return call.reply(response);

  topics::TopicStore& store = call.services().topics;
  store.list_offsets(std::move(list), [call = std::move(call), response = std::move(response),
                                       places = std::move(places)](std::vector<topics::ListedOffset> listed) mutable {
    for (std::size_t i = 0; i < listed.size(); ++i) {
      auto& out = response.topics[places[i].topic].partitions[places[i].partition];
      out.error_code = to_wire(for_version(listed[i].error, call.version()));
      out.timestamp = listed[i].timestamp;
      out.offset = listed[i].offset;
      if (call.version() >= 4) out.leader_epoch = listed[i].leader_epoch;
    }
    call.reply(response);
  });
}

}  // namespace cohort::api
