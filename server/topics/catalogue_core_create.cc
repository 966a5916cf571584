// Creating topics (ControllerApis.createTopics, ReplicationControlManager.createTopics).
#include <fmt/format.h>

#include <map>
#include <set>

#include "server/topics/catalogue_core.h"

namespace cohort::topics {

using protocol::ErrorCode;

std::vector<CreatedTopic> CatalogueCore::create_topics(const std::vector<CreateTopic>& topics, bool validate_only,
                                                       const CatalogueContext& context, CatalogueOutput& output) {
  std::map<std::string_view, int> mentions;
  for (const CreateTopic& topic : topics) ++mentions[topic.name];
  std::vector<CreatedTopic> answers;
  answers.reserve(topics.size());
  std::int64_t new_partitions = 0;
  for (const CreateTopic& topic : topics) {
    CreatedTopic& answer = answers.emplace_back();
    answer.name = topic.name;
    const auto refuse = [&answer](ErrorCode error, std::string message) {
      answer.error = error;
      answer.message = std::move(message);
    };
    if (mentions[topic.name] > 1) {
      refuse(ErrorCode::kInvalidRequest, "Duplicate topic name.");
      continue;
    }
    auto plan = plan_topic(topic, output);
    if (!plan) {
      refuse(plan.error().error, std::move(plan.error().message));
      continue;
    }
    new_partitions += plan->partitions;
    if (new_partitions > options_.max_partitions_per_request) {
      refuse(ErrorCode::kPolicyViolation,
             fmt::format("More than {} partitions in one request", options_.max_partitions_per_request));
      continue;
    }
    answer.partitions = plan->partitions;
    answer.replication_factor = 1;
    answer.configs = plan->overrides;
    if (validate_only) continue;
    TopicInfo info;
    info.id = protocol::TopicId(context.new_id());
    info.name = protocol::TopicName(topic.name);
    info.partitions = plan->partitions;
    info.created_ms = context.now_ms;
    info.made_at_start = starts_;
    info.overrides = std::move(plan->overrides);
    answer.id = info.id;
    emit_topic(std::move(info), output);
  }
  return answers;
}

std::vector<CreatedTopic> CatalogueCore::auto_create(const std::vector<std::string>& names,
                                                     const CatalogueContext& context, CatalogueOutput& output) {
  const std::set<std::string> distinct(names.begin(), names.end());
  std::map<std::string, CreatedTopic> made;
  std::vector<CreateTopic> missing;
  for (const std::string& name : distinct) {
    if (const auto existing = find(name)) {
      CreatedTopic& answer = made[name];
      answer.name = name;
      answer.id = existing->id;
      answer.partitions = existing->partitions;
      answer.replication_factor = 1;
    } else {
      missing.emplace_back().name = name;
    }
  }
  // In one go, so that the bounds of a request hold for all of them.
  for (CreatedTopic& answer : create_topics(missing, false, context, output)) {
    const std::string name = answer.name;
    made[name] = std::move(answer);
  }
  std::vector<CreatedTopic> answers;
  answers.reserve(names.size());
  for (const std::string& name : names) answers.push_back(made[name]);
  return answers;
}

std::expected<CatalogueCore::Plan, CatalogueCore::Refusal> CatalogueCore::plan_topic(
    const CreateTopic& topic, const CatalogueOutput& output) const {
  if (auto refusal = check_step(output)) return std::unexpected(std::move(*refusal));
  if (auto refusal = check_new_name(topic.name)) return std::unexpected(std::move(*refusal));
  Plan plan;
  for (const auto& [name, value] : topic.configs) {
    if (!value) {
      return std::unexpected(
          Refusal{ErrorCode::kInvalidConfig, fmt::format("Null value not supported for topic configs: {}", name)});
    }
    plan.overrides.insert_or_assign(name, *value);
  }
  if (auto checked = check_overrides(plan.overrides, options_.defaults); !checked) {
    return std::unexpected(Refusal{ErrorCode::kInvalidConfig, std::move(checked.error().message)});
  }
  auto partitions = count_partitions(topic);
  if (!partitions) return std::unexpected(std::move(partitions.error()));
  plan.partitions = *partitions;
  if (auto refusal = check_room(1, plan.partitions)) return std::unexpected(std::move(*refusal));
  return plan;
}

std::optional<CatalogueCore::Refusal> CatalogueCore::check_new_name(std::string_view name) const {
  if (is_reserved_name(name)) {
    return Refusal{ErrorCode::kInvalidRequest, fmt::format("Creation of internal topic {} is prohibited.", name)};
  }
  if (auto why = why_invalid_name(name)) return Refusal{ErrorCode::kInvalidTopicException, std::move(*why)};
  if (find(name)) return Refusal{ErrorCode::kTopicAlreadyExists, fmt::format("Topic '{}' already exists.", name)};
  // Its records are the server's own; it makes the topic when it has a use for it.
  if (is_internal_name(name)) {
    return Refusal{ErrorCode::kInvalidTopicException, fmt::format("'{}' is an internal topic", name)};
  }
  if (has_collision_chars(name)) {
    if (const auto found = collisions_.find(unify_collision_chars(name)); found != collisions_.end()) {
      return Refusal{ErrorCode::kInvalidTopicException,
                     fmt::format("Topic '{}' collides with existing topic: {}", name, found->second)};
    }
  }
  return std::nullopt;
}

std::expected<std::int32_t, CatalogueCore::Refusal> CatalogueCore::count_partitions(const CreateTopic& topic) const {
  const auto refuse = [](ErrorCode error, std::string message) {
    return std::unexpected(Refusal{error, std::move(message)});
  };
  if (topic.assignments.empty()) {
    if (topic.replication_factor < -1 || topic.replication_factor == 0) {
      return refuse(ErrorCode::kInvalidReplicationFactor,
                    "Replication factor must be larger than 0, or -1 to use the default value.");
    }
    if (topic.partitions < -1 || topic.partitions == 0) {
      return refuse(ErrorCode::kInvalidPartitions, "Number of partitions was set to an invalid non-positive value.");
    }
    if (topic.replication_factor > 1) {
      return refuse(ErrorCode::kInvalidReplicationFactor,
                    fmt::format("The target replication factor of {} cannot be reached because only 1 broker(s) are "
                                "registered.",
                                topic.replication_factor));
    }
    return topic.partitions == -1 ? options_.defaults.num_partitions : topic.partitions;
  }
  if (topic.replication_factor != -1) {
    return refuse(ErrorCode::kInvalidRequest,
                  "A manual partition assignment was specified, but replication factor was not set to -1.");
  }
  if (topic.partitions != -1) {
    return refuse(ErrorCode::kInvalidRequest,
                  "A manual partition assignment was specified, but numPartitions was not set to -1.");
  }
  std::set<std::int32_t> seen;
  for (const ReplicaAssignment& assignment : topic.assignments) {
    if (!seen.insert(assignment.partition).second) {
      return refuse(ErrorCode::kInvalidReplicaAssignment,
                    fmt::format("Found multiple manual partition assignments for partition {}", assignment.partition));
    }
    if (assignment.broker_ids != std::vector{options_.node_id}) {
      return refuse(ErrorCode::kInvalidReplicaAssignment,
                    fmt::format("The manual partition assignment of partition {} must name exactly broker {}, the only "
                                "one that is registered.",
                                assignment.partition, options_.node_id));
    }
  }
  if (*seen.begin() != 0 || *seen.rbegin() != static_cast<std::int32_t>(seen.size()) - 1) {
    return refuse(ErrorCode::kInvalidReplicaAssignment, "partitions should be a consecutive 0-based integer sequence");
  }
  return static_cast<std::int32_t>(seen.size());
}

std::optional<CatalogueCore::Refusal> CatalogueCore::check_room(std::int64_t more_topics,
                                                                std::int64_t more_partitions) const {
  if (static_cast<std::int64_t>(by_name_.size()) + more_topics > options_.max_topics) {
    return Refusal{ErrorCode::kPolicyViolation, fmt::format("There can be {} topics at most", options_.max_topics)};
  }
  if (partition_count_ + more_partitions > options_.max_partitions) {
    return Refusal{ErrorCode::kPolicyViolation,
                   fmt::format("There can be {} partitions at most, of all topics together", options_.max_partitions)};
  }
  return std::nullopt;
}

void CatalogueCore::create_internal_topics(const CatalogueContext& context, CatalogueOutput& output) {
  if (find(kConsumerOffsetsTopic)) return;
  TopicInfo info;
  info.id = protocol::TopicId(context.new_id());
  info.name = protocol::TopicName(std::string(kConsumerOffsetsTopic));
  info.partitions = options_.offsets_partitions;
  info.internal = true;
  info.created_ms = context.now_ms;
  info.made_at_start = starts_;
  // As Kafka's GroupCoordinatorService.groupMetadataTopicConfigs.
  info.overrides = {{"cleanup.policy", "compact"},
                    {"compression.type", "producer"},
                    {"segment.bytes", fmt::format("{}", options_.offsets_segment_bytes)}};
  emit_topic(std::move(info), output);
}

}  // namespace cohort::topics
