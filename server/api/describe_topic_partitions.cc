// DescribeTopicPartitions v0 (key 75): metadata in pages (KIP-966). Topics in order of name from the cursor on, at most
// response_partition_limit partitions; where it stops, next_cursor says how to go on.
#include <algorithm>
#include <set>

#include "protocol/messages/describe_topic_partitions_request.h"
#include "protocol/messages/describe_topic_partitions_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::DescribeTopicPartitionsRequest;
using Response = protocol::DescribeTopicPartitionsResponse;

Response::DescribeTopicPartitionsResponseTopic head_of(std::string_view name, const topics::TopicInfo* topic) {
  Response::DescribeTopicPartitionsResponseTopic out;
  out.name = Text(name);
  out.topic_authorized_operations = kTopicOperations;
  if (topic) {
    out.topic_id = topic->id.value();
    out.is_internal = topic->internal;
  } else {
    out.error_code = to_wire(missing_topic_error(name));
  }
  return out;
}

Response::DescribeTopicPartitionsResponsePartition partition_of(std::int32_t index, std::int32_t node,
                                                                std::int32_t leader_epoch) {
  Response::DescribeTopicPartitionsResponsePartition out;
  out.partition_index = index;
  out.leader_id = node;
  out.leader_epoch = leader_epoch;
  out.replica_nodes = {node};
  out.isr_nodes = {node};
  out.eligible_leader_replicas.emplace();
  out.last_known_elr.emplace();
  return out;
}

// Kafka throws InvalidRequestException, which its request class turns into this error for every topic named.
void answer_invalid(Call& call, const Request& request) {
  Response response;
  for (const auto& topic : request.topics) {
    Response::DescribeTopicPartitionsResponseTopic out;
    out.name = topic.name;
    out.error_code = to_wire(ErrorCode::kInvalidRequest);
    response.topics.push_back(std::move(out));
  }
  call.reply(response);
}

}  // namespace

void handle_describe_topic_partitions(Call call, Request request) {
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const std::string_view first = request.cursor ? request.cursor->topic_name.view() : std::string_view();

  // 1. The names, sorted, from the cursor on.
  std::set<std::string_view> names;
  const bool all = request.topics.empty();
  if (all) {
    for (const auto& topic : snapshot->topics()) names.insert(topic->name.value());
  } else {
    for (const auto& topic : request.topics) names.insert(topic.name.view());
  }
  if (request.cursor && (request.cursor->partition_index < 0 || (!all && !names.contains(first)))) {
    return answer_invalid(call, request);
  }

  // 2. Partitions until the page is full.
  Response response;
  std::int32_t room =
      std::max(1, std::min(call.services().values().max_request_partitions, request.response_partition_limit));
  for (auto name = names.lower_bound(first); name != names.end(); ++name) {
    const topics::TopicInfo* topic = snapshot->find(*name);
    std::int32_t index = request.cursor && *name == first ? request.cursor->partition_index : 0;
    const bool full = topic && room == 0;
    if (!full) response.topics.push_back(head_of(*name, topic));
    for (; topic && index < topic->partitions && room > 0; ++index, --room) {
      response.topics.back().partitions.push_back(partition_of(index, node_id(call), snapshot->leader_epoch(*topic)));
    }
    if (topic && index < topic->partitions) {
      response.next_cursor.emplace();
      response.next_cursor->topic_name = Text(*name);
      response.next_cursor->partition_index = index;
      break;
    }
  }
  call.reply(response);
}

}  // namespace cohort::api
