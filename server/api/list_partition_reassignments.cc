// ListPartitionReassignments v0 (key 46): with one node no partition ever moves.
#include "protocol/messages/list_partition_reassignments_request.h"
#include "protocol/messages/list_partition_reassignments_response.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_list_partition_reassignments(Call call, protocol::ListPartitionReassignmentsRequest /*request*/) {
  call.reply(protocol::ListPartitionReassignmentsResponse{});
}

}  // namespace cohort::api
