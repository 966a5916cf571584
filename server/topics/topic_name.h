// What a topic may be called (Kafka: org.apache.kafka.common.internals.Topic). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cohort::topics {

inline constexpr std::size_t kMaxTopicNameLength = 249;

// Names of the topics that the server writes itself.
inline constexpr std::string_view kConsumerOffsetsTopic = "__consumer_offsets";
inline constexpr std::string_view kTransactionStateTopic = "__transaction_state";
inline constexpr std::string_view kShareGroupStateTopic = "__share_group_state";
inline constexpr std::string_view kClusterMetadataTopic = "__cluster_metadata";
inline constexpr std::string_view kCatalogueTopic = "__cohort_catalogue";  // no topic: the name of the catalogue's log

// Why the name cannot be used, or nothing if it can: INVALID_TOPIC_EXCEPTION.
std::optional<std::string> why_invalid_name(std::string_view name);

// Topics that clients may read but not create, change or delete.
bool is_internal_name(std::string_view name);
// Names that no topic can have, though their characters are fine.
bool is_reserved_name(std::string_view name);

// Names that differ only in '.' and '_' make equal metric names: such a pair is refused.
bool has_collision_chars(std::string_view name);
std::string unify_collision_chars(std::string_view name);

}  // namespace cohort::topics
