// DescribeClientQuotas v0-1 (key 48): no quota is ever set here, so an answer has no entries. A filter that makes no
// sense is refused as in Kafka (ClientQuotasImage.describe).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "protocol/messages/describe_client_quotas_request.h"
#include "protocol/messages/describe_client_quotas_response.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Request = protocol::DescribeClientQuotasRequest;

constexpr std::array<std::string_view, 3> kEntityTypes = {"ip", "user", "client-id"};

struct Refusal {
  ErrorCode error = ErrorCode::kNone;
  std::string message = {};
};

Refusal invalid(std::string message) {
  return {ErrorCode::kInvalidRequest, std::move(message)};
}

Refusal check_match(const Request::ComponentData& component) {
  enum : std::int8_t { kExact = 0, kDefault = 1, kSpecified = 2 };
  switch (component.match_type) {
    case kExact:
      return component.match ? Refusal{} : invalid("an exact match needs a string to match");
    case kDefault:
    case kSpecified:
      return component.match ? invalid("only an exact match has a string to match") : Refusal{};
    default:
      return invalid(fmt::format("Unknown match type {}", component.match_type));
  }
}

Refusal check(const Request& request) {
  std::set<std::string_view> seen;
  for (const auto& component : request.components) {
    const std::string_view type = component.entity_type.view();
    if (type.empty()) return invalid("Invalid empty entity type.");
    if (!seen.insert(type).second)
      return invalid(fmt::format("Entity type {} cannot appear more than once in the filter.", type));
    if (std::ranges::find(kEntityTypes, type) == kEntityTypes.end())
      return {ErrorCode::kUnsupportedVersion, fmt::format("Unsupported entity type {}", type)};
    if (Refusal refusal = check_match(component); refusal.error != ErrorCode::kNone) return refusal;
  }
  if (seen.contains("ip") && seen.size() > 1) return invalid("ip cannot be combined with user or client-id");
  return {};
}

}  // namespace

void handle_describe_client_quotas(Call call, Request request) {
  protocol::DescribeClientQuotasResponse response;
  const Refusal refusal = check(request);
  response.error_code = to_wire(refusal.error);
  response.error_message = optional_text(refusal.message);
  if (refusal.error != ErrorCode::kNone) response.entries.reset();
  call.reply(response);
}

}  // namespace cohort::api
