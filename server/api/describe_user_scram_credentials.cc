// DescribeUserScramCredentials v0 (key 50): there are no credentials. Null or no users ask for all of them; one who is
// named does not exist, one who is named twice is told so (Kafka's ScramImage.describe). Answers come in order of
// names.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "protocol/messages/describe_user_scram_credentials_request.h"
#include "protocol/messages/describe_user_scram_credentials_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {

void handle_describe_user_scram_credentials(Call call, protocol::DescribeUserScramCredentialsRequest request) {
  protocol::DescribeUserScramCredentialsResponse response;
  std::map<std::string_view, bool> is_repeated;
  if (request.users) {
    for (const auto& user : *request.users) {
      const auto [at, is_new] = is_repeated.try_emplace(user.name.view(), false);
      at->second = !is_new;
    }
  }
  for (const auto& [name, repeated] : is_repeated) {
    auto& result = response.results.emplace_back();
    result.user = Text(name);
    result.error_code = to_wire(repeated ? ErrorCode::kDuplicateResource : ErrorCode::kResourceNotFound);
    result.error_message =
        Text(repeated ? fmt::format("{} is named twice in the request", name)
                      : fmt::format("Attempt to describe a user credential that does not exist: {}", name));
  }
  call.reply(response);
}

}  // namespace cohort::api
