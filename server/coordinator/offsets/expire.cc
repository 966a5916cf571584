// What removes offsets without being asked: retention (KIP-211) and the deletion of their topics. Both may find many at
// once, so each step writes a bounded number of tombstones and comes back by the timer for the rest.
#include <utility>

#include "protocol/base/log.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

constexpr std::string_view kLogName = "Offsets";

// Between two steps of one look: others' requests come in between.
constexpr Duration kPause{1};

// What one step may do, about a millisecond's work: look at so many offsets, write so many bytes of tombstones. A batch
// must stay far below what a log takes at once; ids may be long, so bytes count.
class Budget {
 public:
  explicit Budget(Output& output) : output_(output) {}

  void looked() { --looks_left_; }
  // False, and nothing written, when this step has written enough.
  bool add(std::string_view group, std::string_view topic, std::int32_t partition) {
    if (bytes_left_ <= 0) return false;
    bytes_left_ -= static_cast<std::int64_t>(group.size() + topic.size()) + kRecordOverhead;
    output_.records.push_back(offset_tombstone(group, topic, partition));
    ++tombstones_;
    return true;
  }
  // One more tombstone that names the group alone.
  void wrote(const protocol::GroupId& id) {
    bytes_left_ -= static_cast<std::int64_t>(id.value().size()) + kRecordOverhead;
  }
  // The tombstones of a whole group, in one step however many they are: an empty group has few.
  void add_group(const protocol::GroupId& id, const ConsumerGroup& group) {
    const std::size_t before = output_.records.size();
    append_group_tombstones(id, group, output_);
    const auto written = static_cast<std::int64_t>(output_.records.size() - before);
    bytes_left_ -= written * (static_cast<std::int64_t>(id.value().size()) + kRecordOverhead);
  }
  bool is_spent() const { return bytes_left_ <= 0 || looks_left_ <= 0; }
  std::int64_t tombstones() const { return tombstones_; }  // of offsets

 private:
  static constexpr std::int64_t kLooks = 5'000;
  static constexpr std::int64_t kBytes = 256 << 10;
  static constexpr std::int64_t kRecordOverhead = 32;

  Output& output_;
  std::int64_t looks_left_ = kLooks;
  std::int64_t bytes_left_ = kBytes;
  std::int64_t tombstones_ = 0;
};

void set_timer(const Step& step, MonoTime deadline) {
  step.output.timers.push_back(SetTimer{{TimerKind::kOffsetExpiration, {}, {}}, deadline});
}

// From when on the retention of a group's offsets counts: kSinceCommit, or a wall time in ms for all of them.
constexpr std::int64_t kSinceCommit = -1;

// No value: the group keeps what it has, whether it is of use is not known. After Kafka's offsetExpirationCondition.
std::optional<std::int64_t> expires_since(const FoundGroup& group) {
  if (group.foreign != nullptr) return std::nullopt;
  if (group.classic == nullptr) return kSinceCommit;
  const Round& round = *group.round;
  if (round.protocol_type().empty()) return kSinceCommit;
  if (round.is(ClassicGroupState::kEmpty)) return round.state_timestamp_ms();
  if (round.is(ClassicGroupState::kStable) && round.subscribed_topics()) return kSinceCommit;
  return std::nullopt;
}

bool is_subscribed(const FoundGroup& group, std::string_view topic) {
  if (group.consumer != nullptr) return group.consumer->is_subscribed_to(topic);
  return group.classic != nullptr && group.round->is_subscribed_to(topic);
}

// Kafka knows no retention of a group's own: that is ours.
Duration retention_of(const Step& step, std::string_view group) {
  const GroupOverrides* own = step.context.metadata->overrides(group);
  return own != nullptr && own->offsets_retention ? *own->offsets_retention : step.config.offsets_retention;
}

// Kafka: OffsetExpirationConditionImpl.
bool is_expired(const CommittedOffset& offset, std::int64_t since_ms, Duration retention, const Step& step) {
  const std::int64_t now_ms = step.context.now.wall_ms;
  if (offset.expire_timestamp_ms() != kNoExpireTimestamp) return now_ms >= offset.expire_timestamp_ms();
  const std::int64_t from_ms = since_ms == kSinceCommit ? offset.commit_timestamp_ms : since_ms;
  return now_ms - from_ms >= retention.count();
}

// Returns whether the group was looked at to its end.
bool expire_group(const Step& step, const protocol::GroupId& id, const FoundGroup& group, Budget& budget) {
  budget.looked();
  const auto since_ms = expires_since(group);
  if (!since_ms) return true;
  const Duration retention = retention_of(step, id.value());
  bool all_expired = true;
  if (group.offsets != nullptr) {
    for (const auto& [topic, offsets] : group.offsets->topics) {
      if (is_subscribed(group, topic.value())) {
        all_expired = false;
        continue;
      }
      const bool done = offsets.visit_while([&](const CommittedOffset& offset) {
        budget.looked();
        if (!is_expired(offset, *since_ms, retention, step)) {
          all_expired = false;
          return true;
        }
        return budget.add(id.value(), topic.value(), offset.partition);
      });
      if (!done) return false;
    }
  }
  // Kafka: cleanupGroupMetadata. An empty group without offsets is of no use to anybody.
  if (all_expired && group.consumer != nullptr && validate_delete(*group.consumer) == protocol::ErrorCode::kNone) {
    budget.add_group(id, *group.consumer);
  }
  if (all_expired && group.classic != nullptr && validate_delete(*group.round) == protocol::ErrorCode::kNone) {
    delete_classic_group(step, id.value());
    budget.wrote(id);
  }
  return true;
}

// Returns whether all groups were looked at.
bool expire(const Step& step, Budget& budget) {
  OffsetsSoft& soft = step.state.offsets.soft;
  const bool done =
      visit_groups(step.state, soft.expire_from.value(), [&](const protocol::GroupId& id, const FoundGroup& group) {
        if (!budget.is_spent() && expire_group(step, id, group, budget)) return true;
        soft.expire_from = id;
        return false;
      });
  if (done) soft.expire_from = {};
  return done;
}

// Could offsets of a topic that is gone be left since the last sweep?
bool needs_sweep(const OffsetsSoft& soft, const MetadataView& metadata) {
  if (soft.swept == nullptr) return true;
  return std::ranges::any_of(soft.swept->topics(),
                             [&](const TopicView& topic) { return metadata.find(topic.id) == nullptr; });
}

// One topic of a group: tombstones its offsets unless they are the live topic's. Offsets without an id, from old
// records, are judged by name. Returns whether it was looked at to its end.
bool sweep_topic(const Step& step, const protocol::GroupId& group, const protocol::TopicName& topic,
                 const TopicOffsets& offsets, Budget& budget) {
  const TopicView* known = step.context.metadata->find(std::string_view(topic.value()));
  return offsets.visit_while([&](const CommittedOffset& offset) {
    budget.looked();
    if (known != nullptr && (offset.topic_id == known->id || offset.topic_id == protocol::TopicId{})) return true;
    return budget.add(group.value(), topic.value(), offset.partition);
  });
}

// Goes on where the last step stopped. Returns whether all topics of all groups were looked at.
bool sweep_on(const Step& step, Budget& budget) {
  const OffsetsState& state = step.state.offsets;
  OffsetsSoft& soft = state.soft;
  for (auto group = state.groups.lower_bound(soft.sweep_from_group.value()); group != state.groups.end(); ++group) {
    const bool is_first = group->first == soft.sweep_from_group;
    const auto& topics = group->second.topics;
    for (auto topic = is_first ? topics.lower_bound(soft.sweep_from_topic) : topics.begin(); topic != topics.end();
         ++topic) {
      if (!budget.is_spent() && sweep_topic(step, group->first, topic->first, topic->second, budget)) continue;
      soft.sweep_from_group = group->first;
      soft.sweep_from_topic = topic->first;
      return false;
    }
  }
  return true;
}

// Tombstones offsets whose topic is gone, also when the name exists again under another id. Each step is judged by the
// present view; one that comes in between and has lost more topics makes for another sweep. Returns whether nothing is
// left to do.
bool sweep(const Step& step, Budget& budget) {
  OffsetsSoft& soft = step.state.offsets.soft;
  const MetadataView& metadata = *step.context.metadata;
  if (metadata.version() == 0) return true;  // before the first view nothing is known
  if (soft.sweeping == nullptr) {
    if (!needs_sweep(soft, metadata)) {
      soft.swept = step.context.metadata;
      return true;
    }
    soft.sweeping = step.context.metadata;
    soft.sweep_from_group = {};
    soft.sweep_from_topic = {};
    soft.removed = 0;
  }
  const bool done = sweep_on(step, budget);
  soft.removed += budget.tombstones();
  if (!done) return false;
  if (soft.removed > 0) log::info(kLogName, "removed {} offsets of deleted topics", soft.removed);
  soft.swept = std::move(soft.sweeping);
  return !needs_sweep(soft, metadata);
}

void sweep_now(const Step& step) {
  Budget budget(step.output);
  if (!sweep(step, budget)) set_timer(step, step.context.now.mono + kPause);
}

}  // namespace

void on_offsets_loaded(const Step& step) {
  OffsetsSoft& soft = step.state.offsets.soft;
  soft.next_expiration = step.context.now.mono + step.config.offsets_retention_check_interval;
  set_timer(step, soft.next_expiration);
  sweep_now(step);
}

void on_offsets_metadata(const Step& step) {
  sweep_now(step);
}

void on_offset_expiration_timer(const Step& step) {
  OffsetsSoft& soft = step.state.offsets.soft;
  const MonoTime now = step.context.now.mono;
  step.output.atomic = false;  // Kafka: cleanupGroupMetadata; every tombstone stands for itself
  Budget budget(step.output);
  const bool swept = sweep(step, budget);
  // Not in a step that swept: an offset must not get two tombstones.
  bool expired = true;
  if (swept && budget.tombstones() == 0 && now >= soft.next_expiration) {
    expired = expire(step, budget);
    if (budget.tombstones() > 0) log::info(kLogName, "removed {} expired offsets", budget.tombstones());
    if (expired) soft.next_expiration = now + step.config.offsets_retention_check_interval;
  }
  const bool is_due = now >= soft.next_expiration;
  set_timer(step, swept && expired && !is_due ? soft.next_expiration : now + kPause);
}

}  // namespace cohort::coordinator
