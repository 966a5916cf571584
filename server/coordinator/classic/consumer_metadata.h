// What a classic consumer says of its topics in the metadata of JoinGroup: version and subscription of the embedded
// consumer protocol (ConsumerProtocolSubscription). Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/wire/text.h"

namespace cohort::coordinator {

inline constexpr std::string_view kConsumerProtocolType = "consumer";

// The topics that it subscribes to, borrowed from the metadata. Read as version 0, with which all later ones begin, so
// that clients newer than this server are understood (Kafka: ClassicGroup.computeSubscribedTopics).
Result<std::vector<protocol::Text>> read_subscribed_topics(std::span<const std::byte> metadata);

}  // namespace cohort::coordinator
