// DescribeCluster v0-2 (key 60): this one node.
//   v1 endpoint_type: only brokers (1) are here; controllers (2) are MISMATCHED_ENDPOINT_TYPE, others
//   UNSUPPORTED_ENDPOINT_TYPE. v2 include_fenced_brokers: there are none.
#include <fmt/format.h>

#include "protocol/messages/describe_cluster_request.h"
#include "protocol/messages/describe_cluster_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_describe_cluster(Call call, protocol::DescribeClusterRequest request) {
  constexpr std::int8_t kBrokers = 1;
  constexpr std::int8_t kControllers = 2;
  protocol::DescribeClusterResponse response;
  if (request.endpoint_type != kBrokers) {
    const bool known = request.endpoint_type == kControllers;
    response.error_code = to_wire(known ? ErrorCode::kMismatchedEndpointType : ErrorCode::kUnsupportedEndpointType);
    response.error_message = Text(known ? std::string("this endpoint is a broker's, not a controller's")
                                        : fmt::format("unsupported endpoint type {}", request.endpoint_type));
    call.reply(response);
    return;
  }
  response.cluster_id = Text(call.services().topics.snapshot()->cluster_id());
  response.controller_id = node_id(call);
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = kClusterOperations;
  protocol::DescribeClusterResponse::DescribeClusterBroker broker;
  broker.broker_id = node_id(call);
  broker.host = Text(endpoint(call).host);
  broker.port = endpoint(call).port;
  broker.rack = rack(call);
  response.brokers.push_back(std::move(broker));
  call.reply(response);
}

}  // namespace cohort::api
