// What removes offsets without being asked: retention (KIP-211) and the deletion of their topics. Both may find many at
// once, so each step writes a bounded number of tombstones and comes back by the timer for the rest.
#include <utility>

#include "protocol/base/log.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

constexpr std::string_view kLogName = "Offsets";

// The tombstones of one step. A batch must stay far below what a log takes at once; ids may be long, so bytes count.
class Tombstones {
 public:
  explicit Tombstones(Output& output) : output_(output) {}

  // False, and nothing written, when this step has written enough.
  bool add(std::string_view group, std::string_view topic, std::int32_t partition) {
    if (bytes_left_ <= 0) return false;
    bytes_left_ -= static_cast<std::int64_t>(group.size() + topic.size()) + kRecordOverhead;
    output_.records.push_back(offset_tombstone(group, topic, partition));
    ++count_;
    return true;
  }
  // The tombstones of a whole group, in one step however many they are: an empty group has few.
  void add_group(const protocol::GroupId& id, const ConsumerGroup& group) {
    const std::size_t before = output_.records.size();
    append_group_tombstones(id, group, output_);
    const auto written = static_cast<std::int64_t>(output_.records.size() - before);
    bytes_left_ -= written * (static_cast<std::int64_t>(id.value().size()) + kRecordOverhead);
  }
  bool is_full() const { return bytes_left_ <= 0; }
  std::int64_t count() const { return count_; }

 private:
  static constexpr std::int64_t kBytesPerStep = 256 << 10;
  static constexpr std::int64_t kRecordOverhead = 32;

  Output& output_;
  std::int64_t bytes_left_ = kBytesPerStep;
  std::int64_t count_ = 0;
};

void set_timer(const Step& step, MonoTime deadline) {
  step.output.timers.push_back(SetTimer{{TimerKind::kOffsetExpiration, {}, {}}, deadline});
}

// Kafka: OffsetExpirationConditionImpl, on the commit timestamp for simple and for consumer groups.
bool is_expired(const CommittedOffset& offset, const Step& step) {
  const std::int64_t now_ms = step.context.now.wall_ms;
  if (offset.expire_timestamp_ms() != kNoExpireTimestamp) return now_ms >= offset.expire_timestamp_ms();
  return now_ms - offset.commit_timestamp_ms >= step.config.offsets_retention.count();
}

// Returns whether the group was looked at to its end.
bool expire_group(const Step& step, const protocol::GroupId& id, const FoundGroup& group, Tombstones& tombstones) {
  // Groups of families that are not served keep all they have: whether they are in use is not known here.
  if (group.foreign != nullptr) return true;
  bool all_expired = true;
  if (group.offsets != nullptr) {
    for (const auto& [topic, offsets] : group.offsets->topics) {
      if (group.consumer != nullptr && group.consumer->is_subscribed_to(topic.value())) {
        all_expired = false;
        continue;
      }
      const bool done = offsets.visit_while([&](const CommittedOffset& offset) {
        if (!is_expired(offset, step)) {
          all_expired = false;
          return true;
        }
        return tombstones.add(id.value(), topic.value(), offset.partition);
      });
      if (!done) return false;
    }
  }
  // Kafka: cleanupGroupMetadata. An empty group without offsets is of no use to anybody.
  if (all_expired && group.consumer != nullptr && validate_delete(*group.consumer) == protocol::ErrorCode::kNone) {
    tombstones.add_group(id, *group.consumer);
  }
  return true;
}

// Returns whether all groups were looked at.
bool expire(const Step& step, Tombstones& tombstones) {
  OffsetsSoft& soft = step.state.offsets.soft;
  const bool done =
      visit_groups(step.state, soft.expire_from.value(), [&](const protocol::GroupId& id, const FoundGroup& group) {
        if (!tombstones.is_full() && expire_group(step, id, group, tombstones)) return true;
        soft.expire_from = id;
        return false;
      });
  if (done) soft.expire_from = {};
  return done;
}

// Could offsets of a topic that is gone be left since the last sweep?
bool needs_sweep(const OffsetsSoft& soft, const MetadataView& metadata) {
  if (soft.swept == nullptr) return true;
  if (soft.newest_commit_version > soft.swept->version()) return true;
  return std::ranges::any_of(soft.swept->topics(),
                             [&](const TopicView& topic) { return metadata.find(topic.id) == nullptr; });
}

// Tombstones offsets whose topic is gone, also when the name exists again under another id. Offsets without an id, from
// old records, are judged by name. Returns whether nothing is left to do.
bool sweep(const Step& step, Tombstones& tombstones) {
  const OffsetsState& state = step.state.offsets;
  const MetadataView& metadata = *step.context.metadata;
  // Before the first view arrives nothing is known, and a view that is older than a commit's would take the commit's
  // topic for a deleted one. A newer one is on its way.
  if (metadata.version() == 0 || metadata.version() < state.soft.newest_commit_version) return true;
  if (!needs_sweep(state.soft, metadata)) {
    state.soft.swept = step.context.metadata;
    return true;
  }
  for (const auto& [id, group] : state.groups) {
    for (const auto& [topic, offsets] : group.topics) {
      const TopicView* known = metadata.find(std::string_view(topic.value()));
      const bool done = offsets.visit_while([&](const CommittedOffset& offset) {
        if (known != nullptr && (offset.topic_id == known->id || offset.topic_id == protocol::TopicId{})) return true;
        return tombstones.add(id.value(), topic.value(), offset.partition);
      });
      if (!done) return false;
    }
  }
  state.soft.swept = step.context.metadata;
  return true;
}

void sweep_now(const Step& step) {
  Tombstones tombstones(step.output);
  if (!sweep(step, tombstones)) set_timer(step, step.context.now.mono);
  if (tombstones.count() > 0) log::info(kLogName, "removed {} offsets of deleted topics", tombstones.count());
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
  Tombstones tombstones(step.output);
  const bool swept = sweep(step, tombstones);
  // Not in a step that swept: an offset must not get two tombstones.
  bool expired = true;
  if (swept && tombstones.count() == 0 && now >= soft.next_expiration) {
    expired = expire(step, tombstones);
    if (expired) soft.next_expiration = now + step.config.offsets_retention_check_interval;
  }
  const bool is_due = now >= soft.next_expiration;
  set_timer(step, swept && expired && !is_due ? soft.next_expiration : now);
  if (tombstones.count() > 0)
    log::info(kLogName, "removed {} offsets, expired or of deleted topics", tombstones.count());
}

}  // namespace cohort::coordinator
