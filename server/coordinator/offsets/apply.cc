#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {
namespace {

void put(OffsetsState& state, std::string_view group_id, std::string_view topic, CommittedOffset committed) {
  GroupOffsets& group = state.groups[group_id];
  auto& topics = group.topics;
  auto offsets = topics.find(topic);
  if (offsets == topics.end()) {
    offsets = topics.emplace(protocol::TopicName(std::string(topic)), TopicOffsets{}).first;
  }
  group.last_record = committed.record_offset;
  if (!offsets->second.put(std::move(committed))) return;
  ++group.count;
  ++state.count;
}

void remove(OffsetsState& state, std::string_view group_id, std::string_view topic, std::int32_t partition,
            std::int64_t record_offset) {
  const auto group = state.groups.find(group_id);
  if (group == state.groups.end()) return;
  group->second.last_record = record_offset;
  auto& topics = group->second.topics;
  const auto offsets = topics.find(topic);
  if (offsets == topics.end() || !offsets->second.remove(partition)) return;
  --group->second.count;
  --state.count;
  if (offsets->second.empty()) topics.erase(offsets);
  if (!topics.empty()) return;
  state.groups.erase(group);
  state.last_deletion = record_offset;
}

std::unique_ptr<const CommittedOffset::Extras> extras(std::string_view metadata, std::int64_t expire_timestamp_ms) {
  if (metadata.empty() && expire_timestamp_ms == kNoExpireTimestamp) return nullptr;
  return std::make_unique<const CommittedOffset::Extras>(std::string(metadata), expire_timestamp_ms);
}

}  // namespace

void apply_offset_commit(OffsetsState& state, const protocol::OffsetCommitRecord& record, std::int64_t offset) {
  if (!record.value) return remove(state, record.key.group, record.key.topic, record.key.partition, offset);
  const protocol::OffsetCommitValue& value = *record.value;
  put(state, record.key.group, record.key.topic,
      {.partition = record.key.partition,
       .leader_epoch = value.leader_epoch,
       .offset = value.offset,
       .commit_timestamp_ms = value.commit_timestamp,
       .record_offset = offset,
       .topic_id = protocol::TopicId(value.topic_id),
       .extras = extras(value.metadata, value.expire_timestamp)});
}

void apply_offset_commit(OffsetsState& state, const protocol::LegacyOffsetCommitRecord& record, std::int64_t offset) {
  if (!record.value) return remove(state, record.key.group, record.key.topic, record.key.partition, offset);
  put(state, record.key.group, record.key.topic,
      {.partition = record.key.partition,
       .leader_epoch = -1,
       .offset = record.value->offset,
       .commit_timestamp_ms = record.value->commit_timestamp,
       .record_offset = offset,
       .topic_id = {},
       .extras = extras(record.value->metadata, kNoExpireTimestamp)});
}

void dump_offsets(const OffsetsState& state, std::string& out) {
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "offsets: {} in all\n", state.count);
  for (const auto& [id, group] : state.groups) {
    fmt::format_to(to, "offsets of {}: last record {}\n", id, group.last_record);
    for (const auto& [topic, offsets] : group.topics) {
      offsets.for_each([&](const CommittedOffset& one) {
        fmt::format_to(to, "offset {} {}-{} (id {}): {} epoch {} at {} expires {} record {} metadata '{}'\n", id, topic,
                       one.partition, one.topic_id, one.offset, one.leader_epoch, one.commit_timestamp_ms,
                       one.expire_timestamp_ms(), one.record_offset, one.metadata());
      });
    }
  }
}

}  // namespace cohort::coordinator
