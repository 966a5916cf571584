#include "tests/sim/shadow.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "protocol/batch/record.h"
#include "protocol/wire/byte_buffer.h"
#include "server/coordinator/classic/consumer_metadata.h"
#include "server/runtime/group_family.h"

namespace cohort::sim {
namespace {

// "OffsetCommit" for OffsetCommitKey; " tombstone" behind it for a record without value.
std::string name_of(const protocol::GroupRecord& record) {
  return std::visit(
      [](const auto& one) {
        std::string name(std::decay_t<decltype(one.key)>::kName);
        if (name.ends_with("Key")) name.resize(name.size() - 3);
        return one.value ? name : name + " tombstone";
      },
      record);
}

std::string group_of(const protocol::GroupRecord& record) {
  return std::visit(
      [](const auto& one) -> std::string {
        if constexpr (requires { one.key.group_id; }) {
          return one.key.group_id.str();
        } else {
          return one.key.group.str();
        }
      },
      record);
}

}  // namespace

Shadow::Shadow(World& world, const config::GroupConfig& config, Ledger& ledger, const Catalogue& catalogue,
               std::string name)
    : world_(world),
      config_(config),
      ledger_(ledger),
      catalogue_(catalogue),
      name_(std::move(name)),
      coordinator_(config) {}

void Shadow::feed(const storage::Log& log) {
  const std::int64_t end = log.durable_offset();
  if (end < end_) throw Violation(fmt::format("{} ends at {} although it was durable up to {}", name_, end, end_));
  protocol::ByteBuffer scratch;
  while (end_ < end) {
    const auto chunk = log.read(end_, 1 << 20, end, true);
    if (!chunk) throw Violation(fmt::format("{}: what is durable cannot be read: {}", name_, chunk.error().message));
    protocol::BatchReader batches(chunk->batches.view());
    while (true) {
      const auto batch = batches.next();
      if (!batch) throw Violation(fmt::format("{}: what is durable is damaged: {}", name_, batch.error().message));
      if (!*batch) break;
      const auto fed = protocol::for_each_record(**batch, 1 << 24, scratch, [&](const auto& record) -> Result<void> {
        const auto decoded = runtime::GroupFamily::decode(record.key, record.value);
        if (!decoded) return std::unexpected(decoded.error());
        if (!*decoded) return fail(ErrorKind::kUnsupported, "a record of an unknown type");
        apply(**decoded, record.offset);
        return {};
      });
      if (!fed) throw Violation(fmt::format("{}: the log cannot be replayed: {}", name_, fed.error().message));
    }
    end_ = chunk->next_offset;
  }

  judge_upgrades();

  // Transitions are counted from feed to feed: what stands between two records of a step is no state that anybody sees.
  const auto& groups = state().consumer_groups;
  for (const std::string& id : touched_) {
    const auto it = groups.find(id);
    const auto after = it != groups.end() ? it->second.state() : coordinator::ConsumerGroupState::kDead;
    const auto known = states_.find(id);
    const auto before = known != states_.end() ? known->second : coordinator::ConsumerGroupState::kDead;
    if (before != after) {
      world_.count(fmt::format("group: {} -> {}", coordinator::to_string(before), coordinator::to_string(after)));
    }
    states_[id] = after;
  }
  touched_.clear();
}

void Shadow::apply(const protocol::GroupRecord& record, std::int64_t offset) {
  world_.count("record: " + name_of(record));
  if (const auto* commit = std::get_if<protocol::OffsetCommitRecord>(&record); commit != nullptr && !commit->value) {
    judge_tombstone(*commit);
  }
  if (const auto* classic = std::get_if<protocol::GroupMetadataRecord>(&record)) judge_classic(*classic);
  if (const auto* group = std::get_if<protocol::ConsumerGroupMetadataRecord>(&record);
      group != nullptr && !group->value) {
    const auto* known = state().find_consumer_group(group->key.group_id);
    if (known != nullptr && !known->members.empty()) {
      throw Violation(fmt::format("{} is removed with members in it", group->key.group_id.view()));
    }
  }
  const protocol::GroupId id(group_of(record));
  const auto* before = state().find_consumer_group(id.value());
  const bool was_there = before != nullptr;
  std::set<std::string> members;
  if (was_there) {
    for (const auto& [member, _] : before->members) members.insert(member.value());
  }
  if (const auto applied = coordinator_.apply(record, offset); !applied) {
    throw Violation(fmt::format("{}: the log cannot be replayed: {}", name_, applied.error().message));
  }
  const auto* after = state().find_consumer_group(id.value());
  if (after != nullptr && !was_there) ++group_lives_[id.value()];
  if (after != nullptr) {
    for (const auto& [member, _] : after->members) {
      if (!members.contains(member.value())) ++member_lives_[member.value()];
    }
  }
  note(id);
}

// What is there now may be shown from now on.
void Shadow::note(const protocol::GroupId& id) {
  touched_.insert(id.value());
  if (state().offsets.find(id.value()) != nullptr) groups_.insert(id.value());
  if (state().classic_groups.contains(id.value())) groups_.insert(id.value());
  const auto* group = state().find_consumer_group(id.value());
  if (group == nullptr) {
    epochs_.erase(id.value());
    return;
  }
  groups_.insert(id.value());
  std::int32_t& epoch = epochs_[id.value()];
  if (group->epoch.value() < epoch) {
    throw Violation(fmt::format("the epoch of {} fell from {} to {}", id, epoch, group->epoch));
  }
  epoch = group->epoch.value();
  std::int32_t& highest = highest_epochs_[id.value()];
  highest = std::max(highest, epoch);
  for (const auto& [member_id, member] : group->members) {
    std::int32_t& member_epoch = member_epochs_[member_id.value()];
    member_epoch = std::max(member_epoch, member.epoch.value());
    for (const auto& [topic, partitions] : member.assigned) {
      for (const auto& partition : partitions) assigned_.emplace(member_id.value(), topic, partition.partition);
    }
  }
}

// O6, O8.
void Shadow::judge_tombstone(const protocol::OffsetCommitRecord& record) {
  const auto* known = state().offsets.find(record.key.group, record.key.topic, record.key.partition);
  if (known == nullptr) return;  // legal
  const Ledger::Key key{record.key.group.str(), known->topic_id, record.key.partition};
  const std::int64_t age_ms = world_.now().wall_ms - known->commit_timestamp_ms;
  if (ledger_.was_asked_to_remove(key, known->offset)) {
    world_.count("offset removed: by a client");
  } else if (!catalogue_.exists(known->topic_id)) {
    world_.count("offset removed: its topic was deleted");
  } else if (may_expire(record, known->commit_timestamp_ms)) {
    world_.count("offset removed: expired");
  } else {
    throw Violation(
        fmt::format("the offset of {} topic {} partition {} was removed, {} ms old, and nobody asked for it", key.group,
                    record.key.topic.view(), key.partition, age_ms));
  }
  ledger_.tombstone(key, known->offset);
}

// O6. An empty classic group counts from when it became empty; in one with members, what they subscribed to when they
// were given the last generation is what a stable round knows.
bool Shadow::may_expire(const protocol::OffsetCommitRecord& record, std::int64_t commit_timestamp_ms) const {
  std::int64_t since_ms = commit_timestamp_ms;
  if (const auto it = state().classic_groups.find(record.key.group); it != state().classic_groups.end()) {
    const auto& stored = it->second.stored;
    if (stored.members.empty() && !stored.protocol_type.empty()) since_ms = stored.current_state_timestamp;
    for (const auto& member : stored.members) {
      const auto topics = coordinator::read_subscribed_topics(member.subscription.view());
      if (!topics || std::ranges::find(*topics, record.key.topic) != topics->end()) return false;
    }
  }
  const auto* group = state().find_consumer_group(record.key.group);
  if (group != nullptr && group->is_subscribed_to(record.key.topic)) return false;
  return world_.now().wall_ms - since_ms >= config_.offsets_retention.count();
}

// C8: generations never fall, and each is shared out once; a static member may take its place under a new id.
void Shadow::judge_classic(const protocol::GroupMetadataRecord& record) {
  const std::string id = record.key.group.str();
  const auto known = state().classic_groups.find(id);
  const bool is_known = known != state().classic_groups.end();
  if (!record.value) {
    if (is_known && !known->second.stored.members.empty()) ended_[id] = known->second.stored.generation;
    return;
  }
  const protocol::GroupMetadataValue& next = *record.value;
  const auto shares = [](const protocol::GroupMetadataValue& value) {
    std::multiset<std::string_view> all;
    for (const auto& member : value.members) all.insert(member.assignment.text());
    return all;
  };
  if (!is_known) {
    ++classic_lives_[id];
    if (!next.members.empty()) world_.count("group: downgraded");
  } else if (next.generation < known->second.stored.generation) {
    throw Violation(fmt::format("the generation of {} fell to {}", id, next.generation));
  } else if (next.generation == known->second.stored.generation && shares(next) != shares(known->second.stored)) {
    throw Violation(fmt::format("generation {} of {} was shared out twice", next.generation, id));
  }
  const auto leads = [&](const auto& member) { return next.leader && member.member_id == *next.leader; };
  const bool has_just_turned = !is_known && !next.leader;  // from a consumer group: it begins with a rebalance
  if (!next.members.empty() && !has_just_turned && std::ranges::none_of(next.members, leads)) {
    throw Violation(fmt::format("nobody leads generation {} of {}", next.generation, id));
  }
  for (const auto& member : next.members) {
    shared_out_.emplace(id, next.generation, member.member_id.str(), member.assignment.text());
  }
}

// C9: a classic group with members ends by becoming a consumer group, whose epoch goes on from its generation.
void Shadow::judge_upgrades() {
  for (const auto& [id, generation] : std::exchange(ended_, {})) {
    const auto* group = state().find_consumer_group(id);
    if (group == nullptr && !state().classic_groups.contains(id)) {
      throw Violation(fmt::format("{} is removed with members in it", id));
    }
    if (group != nullptr && group->epoch.value() < generation) {
      throw Violation(fmt::format("the epoch of {} is {}, behind its generation {}", id, group->epoch, generation));
    }
    world_.count("group: upgraded");
  }
}

bool Shadow::has_reached(const std::string& member, std::int32_t epoch) const {
  const auto it = member_epochs_.find(member);
  return it != member_epochs_.end() && it->second >= epoch;
}

Shadow::Generation Shadow::generation(const std::string& group) const {
  const auto life = classic_lives_.find(group);
  const auto it = state().classic_groups.find(group);
  return {life != classic_lives_.end() ? life->second : 0,
          it != state().classic_groups.end() ? it->second.stored.generation : -1};
}

bool Shadow::has_shared_out(const std::string& group, std::int32_t generation, const std::string& member,
                            const protocol::Bytes& assignment) const {
  return shared_out_.contains({group, generation, member, std::string(assignment.text())});
}

void Shadow::check_shown(const coordinator::GroupResponse& response) const {
  const auto epoch_of = [](const std::map<std::string, std::int32_t>& epochs, std::string_view id) {
    const auto it = epochs.find(std::string(id));
    return it != epochs.end() ? it->second : -1;
  };
  const auto not_durable = [this](std::string what) {
    throw Violation(fmt::format("{}: a reply shows what is not durable: {}", name_, what));
  };
  if (const auto* heartbeat = std::get_if<protocol::ConsumerGroupHeartbeatResponse>(&response)) {
    if (heartbeat->error_code != 0 || !heartbeat->member_id || heartbeat->member_epoch < 0) return;
    const std::string id = heartbeat->member_id->str();
    if (heartbeat->member_epoch > epoch_of(member_epochs_, id)) {
      not_durable(fmt::format("epoch {} of {}", heartbeat->member_epoch, id));
    }
    if (!heartbeat->assignment) return;
    for (const auto& topic : heartbeat->assignment->topic_partitions) {
      for (const std::int32_t partition : topic.partitions) {
        if (!assigned_.contains({id, protocol::TopicId(topic.topic_id), partition})) {
          not_durable(fmt::format("{} has partition {}", id, partition));
        }
      }
    }
  } else if (const auto* described = std::get_if<coordinator::ConsumerGroupDescriptions>(&response)) {
    for (const auto& group : *described) {
      if (group.error_code != 0) continue;
      if (group.group_epoch > epoch_of(highest_epochs_, group.group_id.view())) {
        not_durable(fmt::format("epoch {} of {}", group.group_epoch, group.group_id.view()));
      }
      for (const auto& member : group.members) {
        if (member.member_epoch > epoch_of(member_epochs_, member.member_id.view())) {
          not_durable(fmt::format("epoch {} of {}", member.member_epoch, member.member_id.view()));
        }
      }
    }
  } else if (const auto* listed = std::get_if<coordinator::ListedGroups>(&response)) {
    for (const auto& group : *listed) {
      if (!groups_.contains(group.group_id.str())) not_durable(fmt::format("{}", group.group_id.view()));
    }
  }
}

Shadow::Lives Shadow::group(const std::string& id) const {
  const auto it = group_lives_.find(id);
  return {state().find_consumer_group(id) != nullptr, it != group_lives_.end() ? it->second : 0};
}

Shadow::Lives Shadow::member(const std::string& group, const std::string& id) const {
  const auto* known = state().find_consumer_group(group);
  const auto it = member_lives_.find(id);
  return {known != nullptr && known->find_member(id) != nullptr, it != member_lives_.end() ? it->second : 0};
}

}  // namespace cohort::sim
