#include "server/coordinator/classic/consumer_metadata.h"

#include <algorithm>
#include <utility>

#include "protocol/messages/consumer_protocol_assignment.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::coordinator {
namespace {

using protocol::ConsumerProtocolAssignment;
using protocol::ConsumerProtocolSubscription;

// The version in front, at most the one that is known: later ones begin with it.
template <typename Message>
Result<Message> read_embedded(std::span<const std::byte> bytes, std::int16_t max_version) {
  protocol::ByteReader reader(bytes);
  const std::int16_t version = reader.int16();
  if (version < 0) reader.fail("a negative version");
  Message message;
  read(reader, message, std::min(version, max_version));
  if (auto status = reader.status(); !status) return std::unexpected(std::move(status.error()));
  return message;
}

template <typename Message>
protocol::Bytes write_embedded(const Message& message, std::int16_t version) {
  protocol::ByteBuffer buffer;
  protocol::ByteWriter writer(buffer);
  writer.int16(version);
  write(writer, message, version);
  return protocol::Bytes::copy_of(buffer.view());
}

}  // namespace

Result<std::vector<protocol::Text>> read_subscribed_topics(std::span<const std::byte> metadata) {
  auto subscription = read_embedded<ConsumerProtocolSubscription>(metadata, 0);
  if (!subscription) return std::unexpected(std::move(subscription.error()));
  return std::move(subscription->topics);
}

Result<ConsumerProtocolSubscription> read_subscription(std::span<const std::byte> metadata) {
  return read_embedded<ConsumerProtocolSubscription>(metadata, ConsumerProtocolSubscription::kMaxVersion);
}

Result<PartitionsByTopic> read_assignment(std::span<const std::byte> bytes, const MetadataView& metadata) {
  PartitionsByTopic partitions;
  if (bytes.empty()) return partitions;
  auto assignment = read_embedded<ConsumerProtocolAssignment>(bytes, ConsumerProtocolAssignment::kMaxVersion);
  if (!assignment) return std::unexpected(std::move(assignment.error()));
  if (assignment->user_data && !assignment->user_data->empty()) {
    return fail(ErrorKind::kUnsupported, "an unsupported custom assignor is in use");
  }
  for (const auto& of_topic : assignment->assigned_partitions) {
    const TopicView* topic = metadata.find(of_topic.topic.view());
    if (topic == nullptr || of_topic.partitions.empty()) continue;
    auto& all = partitions[topic->id];
    all.insert(all.end(), of_topic.partitions.begin(), of_topic.partitions.end());
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
  }
  return partitions;
}

protocol::Bytes write_assignment(const PartitionsByTopic& partitions, std::span<const std::byte> subscription,
                                 const MetadataView& metadata) {
  protocol::ByteReader reader(subscription);
  const std::int16_t version = std::clamp<std::int16_t>(reader.int16(), ConsumerProtocolAssignment::kMinVersion,
                                                        ConsumerProtocolAssignment::kMaxVersion);
  ConsumerProtocolAssignment assignment;
  for (const auto& [id, of_topic] : partitions) {
    const TopicView* topic = metadata.find(id);
    if (topic == nullptr) continue;
    assignment.assigned_partitions.push_back({.topic = topic->name.value(), .partitions = of_topic});
  }
  return write_embedded(assignment, version);
}

protocol::Bytes write_subscription(std::vector<protocol::Text> topics) {
  ConsumerProtocolSubscription subscription;
  subscription.topics = std::move(topics);
  return write_embedded(subscription, 0);
}

ClassicMemberMetadata classic_metadata(std::int32_t session_timeout_ms, const ClassicProtocols& protocols) {
  ClassicMemberMetadata metadata{.session_timeout_ms = session_timeout_ms};
  for (const auto& protocol : protocols) {
    metadata.supported_protocols.push_back({.name = protocol.name, .metadata = protocol.metadata});
  }
  return metadata;
}

ClassicProtocols protocols_of(const ClassicMemberMetadata& metadata) {
  ClassicProtocols protocols;
  for (const auto& protocol : metadata.supported_protocols) {
    protocols.push_back({.name = protocol.name, .metadata = protocol.metadata});
  }
  return protocols;
}

}  // namespace cohort::coordinator
