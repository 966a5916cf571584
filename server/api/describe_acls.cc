// DescribeAcls v1-3 (key 29): there is no authorizer, and it is said as a broker without one says it (Kafka's AclApis).
#include "protocol/messages/describe_acls_request.h"
#include "protocol/messages/describe_acls_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_describe_acls(Call call, protocol::DescribeAclsRequest /*request*/) {
  protocol::DescribeAclsResponse response;
  response.error_code = to_wire(ErrorCode::kSecurityDisabled);
  response.error_message = Text("No Authorizer is configured on the broker");
  call.reply(response);
}

}  // namespace cohort::api
