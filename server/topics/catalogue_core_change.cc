// Changing topics that exist: delete, more partitions, other configs (ControllerApis, ReplicationControlManager,
// ConfigurationControlManager).
#include <fmt/format.h>

#include <map>

#include "server/topics/catalogue_core.h"

namespace cohort::topics {

using protocol::ErrorCode;

std::vector<DeletedTopic> CatalogueCore::delete_topics(const std::vector<DeleteTopic>& topics,
                                                       CatalogueOutput& output) {
  std::map<std::string_view, int> names;
  std::map<protocol::TopicId, int> ids;  // also of those that are given by name
  for (const DeleteTopic& topic : topics) {
    if (!topic.name) {
      ++ids[topic.id];
      continue;
    }
    ++names[*topic.name];
    if (const auto found = find(*topic.name)) ++ids[found->id];
  }
  // Decided on the state before the request: what is deleted by its first entry is still there for the others' errors.
  std::vector<DeletedTopic> answers;
  std::vector<std::shared_ptr<const TopicInfo>> doomed;
  for (const DeleteTopic& topic : topics) {
    DeletedTopic& answer = answers.emplace_back(topic.name, topic.id, ErrorCode::kNone, "");
    const auto refuse = [&answer](ErrorCode error, std::string message) {
      answer.error = error;
      answer.message = std::move(message);
    };
    if (!options_.defaults.delete_enable) {
      refuse(ErrorCode::kTopicDeletionDisabled, "Topic deletion is disabled.");
    } else if (!topic.name && topic.id.value().is_zero()) {
      refuse(ErrorCode::kInvalidRequest, "Neither topic name nor id were specified.");
    } else if (topic.name && !topic.id.value().is_zero()) {
      refuse(ErrorCode::kInvalidRequest, "You may not specify both topic name and topic id.");
    } else if (topic.name && names[*topic.name] > 1) {
      refuse(ErrorCode::kInvalidRequest, "Duplicate topic name.");
    } else {
      const auto by_id = by_id_.find(topic.id);
      const auto info = topic.name ? find(*topic.name) : by_id == by_id_.end() ? nullptr : by_id->second;
      if (!info && topic.name) {
        refuse(ErrorCode::kUnknownTopicOrPartition, "This server does not host this topic.");
      } else if (!info) {
        refuse(ErrorCode::kUnknownTopicId, "This server does not host this topic ID.");
      } else if (ids[info->id] > 1) {
        refuse(ErrorCode::kInvalidRequest,
               topic.name ? "The provided topic name maps to an ID that was already supplied." : "Duplicate topic id.");
      } else if (info->internal) {
        refuse(ErrorCode::kInvalidRequest, fmt::format("'{}' is an internal topic", info->name.value()));
      } else {
        answer.name = info->name.value();
        answer.id = info->id;
        doomed.push_back(info);
      }
    }
  }
  for (auto& topic : doomed) {
    protocol::CatalogueTopicRecord tombstone;
    tombstone.key.topic_id = topic->id.value();
    emit(std::move(tombstone), output);
    output.changes.push_back({std::move(topic), nullptr});
  }
  return answers;
}

std::vector<TopicOutcome> CatalogueCore::create_partitions(const std::vector<CreatePartitions>& topics,
                                                           bool validate_only, CatalogueOutput& output) {
  std::map<std::string_view, int> mentions;
  for (const CreatePartitions& topic : topics) ++mentions[topic.topic];
  std::vector<TopicOutcome> answers;
  for (const CreatePartitions& topic : topics) {
    TopicOutcome& answer = answers.emplace_back(topic.topic, ErrorCode::kNone, "");
    auto refusal = mentions[topic.topic] > 1
                       ? std::optional(Refusal{ErrorCode::kInvalidRequest, "Duplicate topic name."})
                       : grow_topic(topic, validate_only, output);
    if (refusal) answer.error = refusal->error, answer.message = std::move(refusal->message);
  }
  return answers;
}

std::optional<CatalogueCore::Refusal> CatalogueCore::grow_topic(const CreatePartitions& request, bool validate_only,
                                                                CatalogueOutput& output) {
  const auto topic = find(request.topic);
  if (!topic) return Refusal{ErrorCode::kUnknownTopicOrPartition, "This server does not host this topic."};
  if (topic->internal) {
    return Refusal{ErrorCode::kInvalidRequest,
                   fmt::format("The partitions of internal topic '{}' are fixed", request.topic)};
  }
  if (request.count == topic->partitions) {
    return Refusal{ErrorCode::kInvalidPartitions, fmt::format("Topic already has {} partition(s).", topic->partitions)};
  }
  if (request.count < topic->partitions) {
    return Refusal{ErrorCode::kInvalidPartitions,
                   fmt::format("The topic {} currently has {} partition(s); {} would not be an increase.",
                               request.topic, topic->partitions, request.count)};
  }
  const std::int32_t more = request.count - topic->partitions;
  if (more > options_.max_partitions_per_request) {
    return Refusal{ErrorCode::kPolicyViolation,
                   fmt::format("More than {} partitions in one request", options_.max_partitions_per_request)};
  }
  if (request.assignments) {
    if (request.assignments->size() != static_cast<std::size_t>(more)) {
      return Refusal{ErrorCode::kInvalidReplicaAssignment,
                     fmt::format("Attempted to add {} additional partition(s), but {} assignment(s) were specified.",
                                 more, request.assignments->size())};
    }
    for (const std::vector<std::int32_t>& brokers : *request.assignments) {
      if (brokers != std::vector{options_.node_id}) {
        return Refusal{ErrorCode::kInvalidReplicaAssignment,
                       fmt::format("A manual partition assignment must name exactly broker {}, the only one that is "
                                   "registered.",
                                   options_.node_id)};
      }
    }
  }
  if (auto refusal = check_room(0, more)) return refusal;
  if (auto refusal = check_step(output)) return refusal;
  if (validate_only) return std::nullopt;
  TopicInfo changed = *topic;
  changed.partitions = request.count;
  emit_topic(std::move(changed), output);
  return std::nullopt;
}

std::vector<TopicOutcome> CatalogueCore::alter_configs(const std::vector<AlterConfigs>& requests, bool validate_only,
                                                       CatalogueOutput& output) {
  std::map<std::pair<ConfiguredThing, std::string_view>, int> mentions;
  for (const AlterConfigs& request : requests) ++mentions[{request.of, request.name}];
  std::vector<TopicOutcome> answers;
  for (const AlterConfigs& request : requests) {
    TopicOutcome& answer = answers.emplace_back(request.name, ErrorCode::kNone, "");
    std::optional<Refusal> refusal;
    if (mentions[{request.of, request.name}] > 1) {
      refusal = Refusal{ErrorCode::kInvalidRequest, "Each resource must appear at most once."};
    } else if (request.of == ConfiguredThing::kGroup) {
      refusal = alter_group(request, validate_only, output);
    } else {
      refusal = alter_topic(request, validate_only, output);
    }
    if (refusal) answer.error = refusal->error, answer.message = std::move(refusal->message);
  }
  return answers;
}

std::optional<CatalogueCore::Refusal> CatalogueCore::alter_topic(const AlterConfigs& request, bool validate_only,
                                                                 CatalogueOutput& output) {
  if (auto why = why_invalid_name(request.name)) return Refusal{ErrorCode::kInvalidTopicException, std::move(*why)};
  const auto topic = find(request.name);
  if (!topic) {
    return Refusal{ErrorCode::kUnknownTopicOrPartition, fmt::format("The topic '{}' does not exist.", request.name)};
  }
  // Its log is opened once, by rules of its own; a change that nobody follows must not look like one.
  if (topic->internal) {
    return Refusal{ErrorCode::kInvalidRequest,
                   fmt::format("The configuration of internal topic '{}' is fixed", request.name)};
  }
  if (auto refusal = check_step(output)) return refusal;
  TopicInfo changed = *topic;
  if (request.replace) changed.overrides.clear();
  if (auto refusal = apply_changes(changed.overrides, request.changes, options_.defaults)) return refusal;
  if (auto checked = check_overrides(changed.overrides, options_.defaults); !checked) {
    return Refusal{ErrorCode::kInvalidConfig, std::move(checked.error().message)};
  }
  if (validate_only || changed.overrides == topic->overrides) return std::nullopt;
  emit_topic(std::move(changed), output);
  return std::nullopt;
}

}  // namespace cohort::topics
