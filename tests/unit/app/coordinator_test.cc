// FindCoordinator and InitProducerId: one node coordinates everything, and transactions nobody.
#include <catch2/catch.hpp>
#include <set>

#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/messages/init_producer_id_request.h"
#include "protocol/messages/init_producer_id_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::FindCoordinatorRequest;
using protocol::FindCoordinatorResponse;
using protocol::InitProducerIdRequest;
using protocol::InitProducerIdResponse;

constexpr std::int8_t kGroup = 0;
constexpr std::int8_t kTransaction = 1;
constexpr std::int8_t kShare = 2;

TEST_CASE("FindCoordinator: it is this node, in every version") {
  storage::MemFs fs;
  Machine machine(fs, {"node.id=7"});
  Client client(machine);
  for (std::int16_t version = 0; version <= 3; ++version) {
    INFO(version);
    FindCoordinatorRequest request;
    request.key = "g";
    request.key_type = version < 1 ? kGroup : kTransaction;
    const auto response = client.ask<FindCoordinatorResponse>(request, version);
    CHECK(response.error_code == to_wire(ErrorCode::kNone));
    CHECK(response.node_id == 7);
    CHECK(response.host == "127.0.0.1");
    CHECK(response.port == machine.port());
  }
  for (std::int16_t version = 4; version <= 6; ++version) {
    INFO(version);
    FindCoordinatorRequest request;
    request.coordinator_keys = {Text("a"), Text("")};
    const auto response = client.ask<FindCoordinatorResponse>(request, version);
    REQUIRE(response.coordinators.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(response.coordinators[i].key == request.coordinator_keys[i]);
      CHECK(response.coordinators[i].error_code == to_wire(ErrorCode::kNone));
      CHECK(response.coordinators[i].node_id == 7);
      CHECK(response.coordinators[i].port == machine.port());
    }
  }
}

TEST_CASE("FindCoordinator: keys that nobody coordinates") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const auto error_of = [&](std::int8_t type, const std::string& key, std::int16_t version = 6) {
    FindCoordinatorRequest request;
    request.key_type = type;
    request.coordinator_keys = {Text(key)};
    const auto response = client.ask<FindCoordinatorResponse>(request, version);
    REQUIRE(response.coordinators.size() == 1);
    const auto& found = response.coordinators[0];
    CHECK((found.node_id == -1) == (found.error_code != 0));
    return static_cast<ErrorCode>(found.error_code);
  };
  const std::string share_key = "a:b:" + protocol::Uuid(1, 2).to_string() + ":0";
  CHECK(error_of(kShare, share_key) == ErrorCode::kNone);
  CHECK(error_of(kShare, share_key, 5) == ErrorCode::kInvalidRequest);
  CHECK(error_of(kShare, "a:b:0") == ErrorCode::kInvalidRequest);
  CHECK(error_of(kShare, "g") == ErrorCode::kInvalidRequest);
  CHECK(error_of(3, "g") == ErrorCode::kInvalidRequest);
  CHECK(error_of(-1, "g") == ErrorCode::kInvalidRequest);
}

TEST_CASE("InitProducerId never gives an id twice, over a restart too") {
  storage::MemFs fs;
  std::set<std::int64_t> ids;
  for (int start = 0; start < 3; ++start) {
    Machine machine(fs);
    Client client(machine);
    for (std::int16_t version = 0; version <= 5; ++version) {
      InitProducerIdRequest request;
      request.transactional_id.reset();
      const auto response = client.ask<InitProducerIdResponse>(request, version);
      CHECK(response.error_code == to_wire(ErrorCode::kNone));
      CHECK(response.producer_epoch == 0);
      CHECK(ids.insert(response.producer_id).second);
    }
  }
}

TEST_CASE("InitProducerId: what is refused") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  InitProducerIdRequest request;
  request.transactional_id = Text("x");
  for (std::int16_t version = 0; version <= 5; ++version) {
    INFO(version);
    const auto response = client.ask<InitProducerIdResponse>(request, version);
    CHECK(response.error_code == to_wire(ErrorCode::kTransactionalIdAuthorizationFailed));
    CHECK(response.producer_id == -1);
    CHECK(response.producer_epoch == -1);
  }
  request.transactional_id = Text("");
  CHECK(client.ask<InitProducerIdResponse>(request, 5).error_code == to_wire(ErrorCode::kInvalidRequest));
  request.transactional_id.reset();
  request.producer_id = 5;
  CHECK(client.ask<InitProducerIdResponse>(request, 5).error_code == to_wire(ErrorCode::kInvalidRequest));
  request.producer_epoch = 0;
  CHECK(client.ask<InitProducerIdResponse>(request, 5).error_code == to_wire(ErrorCode::kNone));
}

}  // namespace
}  // namespace cohort::app
