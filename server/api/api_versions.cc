// ApiVersions v0-4 (key 18): what this server speaks, straight from the API table.
//   v3 flexible; features; the client's software name and version, which must look like a name (else INVALID_REQUEST).
//   v4 lists supported features whose lowest version is 0 too; older clients cannot read them (KAFKA-17492).
// A version that is not known is answered in version 0, body and header, with UNSUPPORTED_VERSION and the one entry for
// ApiVersions itself, so that the client can ask again (KIP-511).
#include <algorithm>
#include <array>

#include "protocol/messages/api_versions_request.h"
#include "protocol/messages/api_versions_response.h"
#include "server/api/api_table.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

using Response = protocol::ApiVersionsResponse;

// ApiVersionsRequest.SOFTWARE_NAME_VERSION_PATTERN: alphanumeric at both ends, '-' and '.' between.
bool is_software_name(std::string_view name) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && alphanumeric(name.front()) && alphanumeric(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

Response::ApiVersion entry(const ApiRow& row) {
  Response::ApiVersion version;
  version.api_key = row.key;
  version.min_version = row.announced_min;
  version.max_version = row.max_version;
  return version;
}

struct Feature {
  std::string_view name;
  std::int16_t min_version;
  std::int16_t version;  // supported up to here, and in force
};
constexpr std::array kFeatures = {
    Feature{"group.version", 0, 1},      // KIP-848
    Feature{"metadata.version", 7, 30},  // 3.3-IV3, 4.3-IV0: what user interfaces take the server's version from
};

void add_features(Response& response, std::int16_t version) {
  for (const Feature& feature : kFeatures) {
    if (version >= 4 || feature.min_version > 0) {
      auto& supported = response.supported_features.emplace_back();
      supported.name = Text(feature.name);
      supported.min_version = feature.min_version;
      supported.max_version = feature.version;
    }
    auto& finalized = response.finalized_features.emplace_back();
    finalized.name = Text(feature.name);
    finalized.min_version_level = feature.version;
    finalized.max_version_level = feature.version;
  }
  // Below 0 Java clients would not look at the finalized features.
  response.finalized_features_epoch = 0;
}

}  // namespace

void handle_api_versions(Call call, protocol::ApiVersionsRequest request) {
  Response response;
  if (call.version() >= 3 &&
      !(is_software_name(request.client_software_name) && is_software_name(request.client_software_version))) {
    response.error_code = to_wire(ErrorCode::kInvalidRequest);
    call.reply(response);
    return;
  }
  for (const ApiRow& row : api_table()) response.api_keys.push_back(entry(row));
  if (call.version() >= 3) add_features(response, call.version());
  call.reply(response);
}

void handle_unknown_api_versions(Call call, std::span<const std::byte>) {
  call.reply_unsupported_api_versions();
}

}  // namespace cohort::api
