// DescribeQuorum v0-2 (key 55): the quorum that keeps the cluster's metadata. Here that is this node alone, with the
// catalogue in place of __cluster_metadata: epoch and offsets are the catalogue's.
//   v1 times of the replicas' last fetches; v2 folders, nodes and messages.
// Another partition is UNKNOWN_TOPIC_OR_PARTITION (KafkaRaftClient.hasValidTopicPartition). More than one are
// INVALID_REQUEST, where Kafka repeats that error for each: no client asks so, and the answer would be many times
// larger.
#include "protocol/messages/describe_quorum_request.h"
#include "protocol/messages/describe_quorum_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"
#include "server/reactor/reactor.h"
#include "server/topics/topic_name.h"

namespace cohort::api {
namespace {

using Request = protocol::DescribeQuorumRequest;
using Response = protocol::DescribeQuorumResponse;

// Gives the answer's one partition.
Response::PartitionData& start_partition(Response& response, const Request::TopicData& topic) {
  auto& answered = response.topics.emplace_back();
  answered.topic_name = topic.topic_name;
  auto& partition = answered.partitions.emplace_back();
  partition.partition_index = topic.partitions[0].partition_index;
  return partition;
}

void describe(const Call& call, Response& response, Response::PartitionData& partition) {
  const auto snapshot = call.services().topics.snapshot();
  const std::int64_t now_ms = reactor::read_clocks().wall_ms;
  partition.leader_id = node_id(call);
  partition.leader_epoch = snapshot->starts();
  partition.high_watermark = snapshot->version();
  auto& voter = partition.current_voters.emplace_back();
  voter.replica_id = node_id(call);
  voter.log_end_offset = snapshot->version();
  voter.last_fetch_timestamp = now_ms;
  voter.last_caught_up_timestamp = now_ms;
  auto& node = response.nodes.emplace_back();
  node.node_id = node_id(call);
  auto& at = node.listeners.emplace_back();
  at.name = Text(call.services().values().net.listeners[call.peer().listener].name);
  at.host = Text(endpoint(call).host);
  at.port = static_cast<std::uint16_t>(endpoint(call).port);
}

}  // namespace

void handle_describe_quorum(Call call, Request request) {
  Response response;
  if (request.topics.size() != 1 || request.topics[0].partitions.size() != 1) {
    response.error_code = to_wire(ErrorCode::kInvalidRequest);
    response.error_message = Text("one partition at a time");
    return call.reply(response);
  }
  const auto& topic = request.topics[0];
  Response::PartitionData& partition = start_partition(response, topic);
  if (topic.topic_name == topics::kClusterMetadataTopic && partition.partition_index == 0) {
    describe(call, response, partition);
  } else {
    partition.error_code = to_wire(ErrorCode::kUnknownTopicOrPartition);
  }
  call.reply(response);
}

}  // namespace cohort::api
