// FindCoordinator v0-6 (key 10): which node coordinates a key. There is one node, so it is always this one.
//   v0-3 one key, answered at the top level; v4 on many keys, each answered once. v1 key_type: 0 group, 1 transaction;
//   v6 on 2 share, whose keys are groupId:topicId:partition.
// A transactional producer is sent here too and then told by InitProducerId that transactions are not served: an error
// here would make it ask again for ever. What cannot be placed (an unknown key type, a malformed share key, a share key
// before v6) is INVALID_REQUEST with no node.
#include <charconv>
#include <set>

#include "protocol/messages/find_coordinator_request.h"
#include "protocol/messages/find_coordinator_response.h"
#include "protocol/types/uuid.h"
#include "server/api/common.h"
#include "server/api/handlers.h"

namespace cohort::api {
namespace {

enum class KeyType : std::int8_t { kGroup = 0, kTransaction = 1, kShare = 2 };
constexpr std::int16_t kFirstWithShareKeys = 6;

// Kafka's SharePartitionKey.getInstance. A group id may hold colons itself.
bool is_share_key(std::string_view key) {
  const std::size_t partition_at = key.rfind(':');
  if (partition_at == std::string_view::npos || partition_at == 0) return false;
  const std::size_t topic_at = key.rfind(':', partition_at - 1);
  if (topic_at == std::string_view::npos) return false;
  const std::string_view group = key.substr(0, topic_at);
  const std::string_view topic = key.substr(topic_at + 1, partition_at - topic_at - 1);
  const std::string_view partition = key.substr(partition_at + 1);
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(partition.data(), partition.data() + partition.size(), number);
  return group.find_first_not_of(' ') != std::string_view::npos && protocol::Uuid::parse(topic) &&
         error == std::errc{} && end == partition.data() + partition.size();
}

bool has_coordinator(std::int8_t key_type, std::string_view key, std::int16_t version) {
  switch (static_cast<KeyType>(key_type)) {
    case KeyType::kGroup:
    case KeyType::kTransaction:
      return true;
    case KeyType::kShare:
      return version >= kFirstWithShareKeys && is_share_key(key);
  }
  return false;
}

}  // namespace

void handle_find_coordinator(Call call, protocol::FindCoordinatorRequest request) {
  constexpr std::int32_t kNoNode = -1;
  // Fills in what both shapes of the answer have; false when there is no such coordinator.
  const auto fill = [&](auto& out, std::string_view key) {
    const bool found = has_coordinator(request.key_type, key, call.version());
    out.error_code = to_wire(found ? ErrorCode::kNone : ErrorCode::kInvalidRequest);
    out.node_id = found ? node_id(call) : kNoNode;
    out.host = Text(found ? std::string_view(endpoint(call).host) : std::string_view());
    out.port = found ? endpoint(call).port : kNoNode;
    return found;
  };
  protocol::FindCoordinatorResponse response;
  if (call.version() < 4) {
    const bool found = fill(response, request.key);
    if (call.version() >= 1)
      response.error_message = found ? Text("NONE") : Text("There is no coordinator for such a key.");
  } else {
    std::set<Text> seen;
    for (Text& key : request.coordinator_keys) {
      if (!seen.insert(key).second) continue;
      protocol::FindCoordinatorResponse::Coordinator coordinator;
      fill(coordinator, key);
      coordinator.error_message = Text("");
      coordinator.key = std::move(key);
      response.coordinators.push_back(std::move(coordinator));
    }
  }
  call.reply(response);
}

}  // namespace cohort::api
