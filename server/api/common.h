// What several handlers need: where this node is, and what a client may do.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "protocol/types/error_code.h"
#include "server/api/call.h"
#include "server/api/services.h"

namespace cohort::api {

using protocol::ErrorCode;
using protocol::Text;
using protocol::to_wire;

// What clients that come through this listener are told to connect to.
inline const Endpoint& endpoint(const Call& call) {
  return call.services().advertised[call.peer().listener];
}
inline std::int32_t node_id(const Call& call) {
  return call.services().values().node_id;
}
std::optional<Text> rack(const Call& call);

// Without an authorizer everybody may do everything that there is (Kafka's AclEntry.supportedOperations), as bits of
// AclOperation codes; kNotAsked when the client did not ask.
inline constexpr std::int32_t kNotAsked = std::numeric_limits<std::int32_t>::min();
inline constexpr std::int32_t kTopicOperations =
    1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 11;
inline constexpr std::int32_t kGroupOperations = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;
inline constexpr std::int32_t kClusterOperations = 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

// Messages of errors: null in an answer when there is nothing to say.
inline std::optional<Text> optional_text(const std::string& message) {
  if (message.empty()) return std::nullopt;
  return Text(message);
}

// Where an answer belongs in a response: places in its lists.
struct Place {
  std::size_t topic = 0;
  std::size_t partition = 0;
};
// topic: null when it is not there.
inline bool has_partition(const topics::TopicInfo* topic, std::int32_t partition) {
  return topic != nullptr && partition >= 0 && partition < topic->partitions;
}

// Of a topic that is not there: the name may be impossible.
ErrorCode missing_topic_error(std::string_view name);

}  // namespace cohort::api
