#include "server/coordinator/classic/consumer_metadata.h"

#include "protocol/messages/consumer_protocol_subscription.h"
#include "protocol/wire/byte_reader.h"

namespace cohort::coordinator {

Result<std::vector<protocol::Text>> read_subscribed_topics(std::span<const std::byte> metadata) {
  protocol::ByteReader reader(metadata);
  if (reader.int16() < 0) reader.fail("a negative version");
  protocol::ConsumerProtocolSubscription subscription;
  read(reader, subscription, 0);
  if (auto status = reader.status(); !status) return std::unexpected(std::move(status.error()));
  return std::move(subscription.topics);
}

}  // namespace cohort::coordinator
