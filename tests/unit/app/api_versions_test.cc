// ApiVersions: what a client learns first, and what one that is newer than the server is told (KIP-511).
#include <algorithm>
#include <catch2/catch.hpp>

#include "protocol/messages/api_versions_request.h"
#include "protocol/messages/api_versions_response.h"
#include "server/api/api_table.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::ApiVersionsRequest;
using protocol::ApiVersionsResponse;

ApiVersionsRequest request_of(const std::string& name, const std::string& version) {
  ApiVersionsRequest request;
  request.client_software_name = name;
  request.client_software_version = version;
  return request;
}

TEST_CASE("ApiVersions announces the API table in every version") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  for (std::int16_t version = 0; version <= 4; ++version) {
    INFO(version);
    const auto request = version < 3 ? ApiVersionsRequest{} : request_of("librdkafka", "2.16.1");
    const auto response = client.ask<ApiVersionsResponse>(request, version);
    CHECK(response.error_code == to_wire(ErrorCode::kNone));
    REQUIRE(response.api_keys.size() == api::api_table().size());
    for (std::size_t i = 0; i < response.api_keys.size(); ++i) {
      const api::ApiRow& row = api::api_table()[i];
      CHECK(response.api_keys[i].api_key == row.key);
      CHECK(response.api_keys[i].min_version == row.announced_min);
      CHECK(response.api_keys[i].max_version == row.max_version);
    }
    CHECK(response.finalized_features_epoch == (version < 3 ? -1 : 0));
    REQUIRE(response.finalized_features.size() == (version < 3 ? 0U : 2U));
    if (version >= 3) {
      CHECK(response.finalized_features[0].name == "group.version");
      CHECK(response.finalized_features[0].max_version_level == 1);
      CHECK(response.finalized_features[1].name == "metadata.version");
      CHECK(response.finalized_features[1].max_version_level == 30);
    }
    // Clients of version 3 cannot read a feature whose lowest version is 0.
    REQUIRE(response.supported_features.size() == (version < 3 ? 0U : version < 4 ? 1U : 2U));
    for (const auto& feature : response.supported_features) CHECK((version >= 4 || feature.min_version > 0));
  }
}

TEST_CASE("ApiVersions of a version that is not known is answered in version 0, and the client asks again") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  // Whatever its body may look like: this one is of version 4.
  auto frame = client.frame_of(request_of("future", "99"), 4);
  frame[7] = std::byte{99};
  client.send_bytes(frame);
  const auto refused = client.receive<ApiVersionsResponse>(0);
  CHECK(refused.error_code == to_wire(ErrorCode::kUnsupportedVersion));
  REQUIRE(refused.api_keys.size() == 1);
  CHECK(refused.api_keys[0].api_key == 18);
  CHECK(refused.api_keys[0].min_version == 0);
  CHECK(refused.api_keys[0].max_version == 4);
  CHECK(client.ask<ApiVersionsResponse>(request_of("future", "99"), 4).error_code == to_wire(ErrorCode::kNone));
}

TEST_CASE("ApiVersions wants a name and a version of the client's software that look like ones") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  for (const char* wrong : {"", " ", "-x", "x-", "a b", "a\n", "\xC3\xA9"}) {
    INFO(wrong);
    for (const auto& request : {request_of(wrong, "1.0"), request_of("client", wrong)}) {
      const auto response = client.ask<ApiVersionsResponse>(request, 3);
      CHECK(response.error_code == to_wire(ErrorCode::kInvalidRequest));
      CHECK(response.api_keys.empty());
    }
  }
  CHECK(client.ask<ApiVersionsResponse>(request_of("a-b.c", "1.0-rc.1"), 3).error_code == to_wire(ErrorCode::kNone));
}

}  // namespace
}  // namespace cohort::app
