#include "server/topics/catalogue_core.h"

#include <fmt/format.h>

#include <limits>
#include <type_traits>

#include "protocol/base/check.h"

namespace cohort::topics {

using protocol::ErrorCode;

namespace {

protocol::CatalogueTopicRecord to_record(const TopicInfo& topic) {
  protocol::CatalogueTopicRecord record;
  record.key.topic_id = topic.id.value();
  auto& value = record.value.emplace();
  value.name = topic.name.value();
  value.partitions = topic.partitions;
  value.internal = topic.internal;
  value.created_timestamp = topic.created_ms;
  value.made_at_start = topic.made_at_start;
  for (const auto& [name, text] : topic.overrides) {
    auto& config = value.configs.emplace_back();
    config.name = name;
    config.value = text;
  }
  return record;
}

protocol::CatalogueRecord starts_record(std::int32_t starts) {
  protocol::CatalogueStartsRecord record;
  record.value.emplace().starts = starts;
  return record;
}

protocol::CatalogueRecord carried_out_record() {
  protocol::CatalogueCarriedOutRecord record;
  record.value.emplace();
  return record;
}

protocol::CatalogueGroupRecord to_record(const std::string& group, const config::GroupSettings& settings) {
  protocol::CatalogueGroupRecord record;
  record.key.group_id = group;
  if (settings.empty()) return record;
  auto& value = record.value.emplace();
  for (const auto& [name, text] : settings) {
    auto& config = value.configs.emplace_back();
    config.name = name;
    config.value = text;
  }
  return record;
}

template <typename Configs>
std::size_t config_bytes(const Configs& configs) {
  std::size_t bytes = 0;
  for (const auto& config : configs) bytes += config.name.size() + config.value.size() + 8;
  return bytes;
}

}  // namespace

std::size_t estimated_bytes(const protocol::CatalogueRecord& record) {
  constexpr std::size_t kOverhead = 64;
  if (const auto* topic = std::get_if<protocol::CatalogueTopicRecord>(&record); topic != nullptr && topic->value) {
    return kOverhead + topic->value->name.size() + config_bytes(topic->value->configs);
  }
  if (const auto* group = std::get_if<protocol::CatalogueGroupRecord>(&record)) {
    return kOverhead + group->key.group_id.size() + (group->value ? config_bytes(group->value->configs) : 0);
  }
  return kOverhead;
}

Result<void> CatalogueCore::apply(const protocol::CatalogueRecord& record) {
  return std::visit(
      [this](const auto& typed) -> Result<void> {
        using Record = std::remove_cvref_t<decltype(typed)>;
        if constexpr (std::is_same_v<Record, protocol::CatalogueTopicRecord>) {
          return apply_topic(typed);
        } else if constexpr (std::is_same_v<Record, protocol::CatalogueGroupRecord>) {
          return apply_group(typed);
        } else if constexpr (std::is_same_v<Record, protocol::CatalogueCarriedOutRecord>) {
          unmade_.clear();
          unremoved_.clear();
          return {};
        } else if constexpr (std::is_same_v<Record, protocol::CatalogueStartsRecord>) {
          if (!typed.value || typed.value->starts < starts_) {
            return fail(ErrorKind::kCorrupt, "the catalogue's count of starts falls");
          }
          starts_ = typed.value->starts;
          return {};
        } else {
          static_assert(std::is_same_v<Record, protocol::CatalogueProducerIdsRecord>);
          if (!typed.value || typed.value->next_producer_id < next_producer_id_) {
            return fail(ErrorKind::kCorrupt, "the catalogue's counter of producer ids falls");
          }
          next_producer_id_ = typed.value->next_producer_id;
          return {};
        }
      },
      record);
}

Result<void> CatalogueCore::apply_topic(const protocol::CatalogueTopicRecord& record) {
  const protocol::TopicId id(record.key.topic_id);
  if (!record.value) {
    erase(id);
    unmade_.erase(id);
    unremoved_.insert(id);
    return {};
  }
  const auto& value = *record.value;
  if (value.partitions <= 0) {
    return fail(ErrorKind::kCorrupt, fmt::format("topic {} has {} partitions", value.name.view(), value.partitions));
  }
  if (value.made_at_start < 0 || value.made_at_start > starts_) {
    return fail(ErrorKind::kCorrupt, fmt::format("topic {} was made at start {}, and there were {} starts",
                                                 value.name.view(), value.made_at_start, starts_));
  }
  const auto same_name = find(value.name.view());
  if (same_name && same_name->id != id) {
    return fail(ErrorKind::kCorrupt, fmt::format("two topics are called {}", value.name.view()));
  }
  const std::int32_t made_before = same_name ? same_name->partitions : 0;
  if (value.partitions > made_before) unmade_.try_emplace(id, made_before);
  erase(id);
  auto topic = std::make_shared<TopicInfo>();
  topic->id = id;
  topic->name = protocol::TopicName(value.name.str());
  topic->partitions = value.partitions;
  topic->internal = value.internal;
  topic->created_ms = value.created_timestamp;
  topic->made_at_start = value.made_at_start;
  for (const auto& config : value.configs) topic->overrides.insert_or_assign(config.name.str(), config.value.str());
  topic->config = resolve_config(topic->overrides, options_.defaults);
  if (topic->internal) topic->config.durability = options_.offsets_durability;
  partition_count_ += topic->partitions;
  const std::string& name = topic->name.value();
  if (has_collision_chars(name)) collisions_.emplace(unify_collision_chars(name), name);
  by_id_.emplace(id, topic);
  by_name_.emplace(name, std::move(topic));
  return {};
}

Result<void> CatalogueCore::apply_group(const protocol::CatalogueGroupRecord& record) {
  std::string group = record.key.group_id.str();
  if (group.empty()) return fail(ErrorKind::kCorrupt, "settings of a group without id");
  if (!record.value) {
    groups_.erase(group);
    return {};
  }
  if (record.value->configs.empty()) return fail(ErrorKind::kCorrupt, fmt::format("group {} has no settings", group));
  config::GroupSettings settings;
  for (const auto& config : record.value->configs) settings.insert_or_assign(config.name.str(), config.value.str());
  groups_.insert_or_assign(std::move(group), std::move(settings));
  return {};
}

void CatalogueCore::erase(const protocol::TopicId& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  const std::shared_ptr<const TopicInfo> topic = found->second;
  partition_count_ -= topic->partitions;
  const auto [first, last] = collisions_.equal_range(unify_collision_chars(topic->name.value()));
  for (auto at = first; at != last; ++at) {
    if (at->second == topic->name.value()) {
      collisions_.erase(at);
      break;
    }
  }
  by_name_.erase(topic->name.value());
  by_id_.erase(found);
}

std::shared_ptr<const TopicInfo> CatalogueCore::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void CatalogueCore::emit(protocol::CatalogueRecord record, CatalogueOutput& output) {
  const auto applied = apply(record);
  CHECK(applied.has_value(), "the catalogue decided a record that it cannot apply");
  output.bytes += estimated_bytes(record);
  output.records.push_back(std::move(record));
}

std::optional<CatalogueCore::Refusal> CatalogueCore::check_step(const CatalogueOutput& output) {
  if (output.bytes < kMaxStepBytes) return std::nullopt;
  return Refusal{ErrorCode::kPolicyViolation, "Too many changes in one request."};
}

void CatalogueCore::emit_topic(TopicInfo topic, CatalogueOutput& output) {
  const auto before = find(topic.name.value());
  emit(to_record(topic), output);
  output.changes.push_back({before, find(topic.name.value())});
}

std::optional<CatalogueCore::Refusal> CatalogueCore::alter_group(const AlterConfigs& request, bool validate_only,
                                                                 CatalogueOutput& output) {
  if (request.name.empty()) return Refusal{ErrorCode::kInvalidRequest, "Default group resources are not allowed."};
  const auto found = groups_.find(request.name);
  const config::GroupSettings before = found == groups_.end() ? config::GroupSettings{} : found->second;
  config::GroupSettings changed = request.replace ? config::GroupSettings{} : before;
  for (const ConfigChange& change : request.changes) {
    if (change.op == ConfigOp::kDelete) {
      changed.erase(change.name);
    } else if (change.op == ConfigOp::kSet && change.value) {
      changed.insert_or_assign(change.name, *change.value);
    } else {
      return Refusal{ErrorCode::kInvalidConfig, fmt::format("{} is no list of a group", change.name)};
    }
  }
  if (auto refusal = check_step(output)) return refusal;
  auto settings = config::check_group_settings(changed, options_.group);
  if (!settings) return Refusal{ErrorCode::kInvalidConfig, std::move(settings.error().message)};
  if (before.empty() && !settings->empty() && groups_.size() >= options_.max_configured_groups) {
    return Refusal{ErrorCode::kPolicyViolation, "Too many groups have settings of their own."};
  }
  if (validate_only || *settings == before) return std::nullopt;
  emit(to_record(request.name, *settings), output);
  output.groups_changed = true;
  return std::nullopt;
}

void CatalogueCore::count_start(CatalogueOutput& output) {
  if (starts_ < std::numeric_limits<std::int32_t>::max()) emit(starts_record(starts_ + 1), output);
}

std::int64_t CatalogueCore::reserve_producer_ids(std::int64_t count, CatalogueOutput& output) {
  const std::int64_t first = next_producer_id_;
  protocol::CatalogueProducerIdsRecord record;
  record.value.emplace().next_producer_id = first + count;
  emit(std::move(record), output);
  return first;
}

void CatalogueCore::mark_carried_out(CatalogueOutput& output) {
  if (!unmade_.empty() || !unremoved_.empty()) emit(carried_out_record(), output);
}

bool CatalogueCore::may_be_unmade(const TopicInfo& topic, std::int32_t partition) const {
  const auto found = unmade_.find(topic.id);
  return found != unmade_.end() && partition >= found->second;
}

std::vector<std::shared_ptr<const TopicInfo>> CatalogueCore::topics() const {
  std::vector<std::shared_ptr<const TopicInfo>> topics;
  topics.reserve(by_name_.size());
  for (const auto& [name, topic] : by_name_) topics.push_back(topic);
  return topics;
}

std::vector<protocol::CatalogueRecord> CatalogueCore::snapshot_records() const {
  std::vector<protocol::CatalogueRecord> records;
  records.reserve(live_records());
  protocol::CatalogueProducerIdsRecord producer_ids;
  producer_ids.value.emplace().next_producer_id = next_producer_id_;
  records.emplace_back(std::move(producer_ids));
  // Before the topics, which may not have been made at a start that is still to come.
  records.push_back(starts_record(starts_));
  for (const auto& [group, settings] : groups_) records.emplace_back(to_record(group, settings));
  // What is carried out stands before the mark, what may not be, behind it.
  for (const auto& [name, topic] : by_name_) {
    const auto unmade = unmade_.find(topic->id);
    if (unmade != unmade_.end() && unmade->second == 0) continue;
    auto record = to_record(*topic);
    if (unmade != unmade_.end()) record.value->partitions = unmade->second;
    records.emplace_back(std::move(record));
  }
  if (!by_name_.empty()) records.push_back(carried_out_record());
  for (const auto& [name, topic] : by_name_) {
    if (unmade_.contains(topic->id)) records.emplace_back(to_record(*topic));
  }
  for (const protocol::TopicId& id : unremoved_) {
    protocol::CatalogueTopicRecord deleted;
    deleted.key.topic_id = id.value();
    records.emplace_back(std::move(deleted));
  }
  return records;
}

}  // namespace cohort::topics
