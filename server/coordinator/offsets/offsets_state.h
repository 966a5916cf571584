// The committed offsets of all groups of a shard: hard state, made by records alone (apply.cc).
// Owned by GroupState, touched on the shard's thread alone; handlers see it as const, its soft part is mutable.
//
// Offsets stand apart from the groups, by group id, because they outlive them: a consumer group keeps its offsets when
// its last member left, and a group that never had a member has nothing else. Such a "simple" group, in Kafka an empty
// classic group that the first commit (or its replay) makes, has no state of its own here: an id is a simple group as
// long as it has offsets and no other family knows it. There is no record of it that could be lost or outlive its
// offsets; a classic group of the name takes precedence by the same rule. One difference to Kafka: when the last offset
// of a simple group is deleted the group is gone at once, not at the next expiration check.
//
// Layout: about 65 bytes per offset in groups with many partitions. Offsets of a topic lie in sorted chunks of 64
// partition numbers: a look-up is one tree step and a binary search, and a new partition moves a few hundred bytes, not
// the whole topic, in whatever order a log brings them. Why not a map of partitions: 96 bytes per offset, one
// allocation each. Metadata and expiry, which hardly anybody uses, hang on a pointer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/time.h"
#include "protocol/types/ids.h"
#include "server/coordinator/core/id_map.h"
#include "server/coordinator/core/metadata_view.h"

namespace cohort::coordinator {

inline constexpr std::int64_t kNoExpireTimestamp = -1;

struct CommittedOffset {
  // What only a few offsets have.
  struct Extras {
    std::string metadata;
    std::int64_t expire_timestamp_ms = kNoExpireTimestamp;
    friend bool operator==(const Extras&, const Extras&) = default;
  };

  std::int32_t partition = 0;
  std::int32_t leader_epoch = -1;        // -1: none given
  std::int64_t offset = 0;               // any value, also -1: Kafka does not check it
  std::int64_t commit_timestamp_ms = 0;  // wall time
  std::int64_t record_offset = -1;       // of the record in the coordinator's log
  protocol::TopicId topic_id;  // zero in records that Kafka before 4.1 wrote, and in those with an expire timestamp
  std::unique_ptr<const Extras> extras;  // null when all of it is default

  std::string_view metadata() const { return extras ? std::string_view(extras->metadata) : std::string_view(); }
  // Set by commits up to version 4 that bring their own retention time; else kNoExpireTimestamp.
  std::int64_t expire_timestamp_ms() const { return extras ? extras->expire_timestamp_ms : kNoExpireTimestamp; }
};

// The offsets of one topic in one group, by partition.
class TopicOffsets {
 public:
  // Null when nothing is committed. The pointer lives until the next put or remove.
  const CommittedOffset* find(std::int32_t partition) const;
  // Replaces what was there. Returns whether the partition is new.
  bool put(CommittedOffset offset);
  // Returns whether there was one.
  bool remove(std::int32_t partition);
  bool empty() const { return chunks_.empty(); }

  // Calls visit(const CommittedOffset&) in order of partitions until it returns false. Returns whether all were
  // visited.
  template <typename Visit>
  bool visit_while(Visit&& visit) const {
    return std::ranges::all_of(chunks_, [&](const auto& chunk) {
      return std::ranges::all_of(chunk.second, [&](const auto& o) { return visit(o); });
    });
  }
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (const auto& [number, chunk] : chunks_) std::ranges::for_each(chunk, visit);
  }

 private:
  using Chunk = std::vector<CommittedOffset>;  // sorted by partition, never empty
  static std::int32_t chunk_of(std::int32_t partition) { return partition >> 6; }

  std::map<std::int32_t, Chunk> chunks_;
};

struct GroupOffsets {
  std::map<protocol::TopicName, TopicOffsets, std::less<>> topics;  // no empty ones
  std::int64_t count = 0;                                           // of offsets
  std::int64_t last_record = -1;                                    // offset of the last record about these offsets
};

// Rebuilt after load.
struct OffsetsSoft {
  MonoTime next_expiration;       // when expired offsets are looked for again
  protocol::GroupId expire_from;  // the first group that the present look has not come to yet
  // The view that all offsets were last checked against for deleted topics; null: never.
  std::shared_ptr<const MetadataView> swept;
  // The view that the present such check began with, and the first topic that it has not come to yet. Null: none runs.
  std::shared_ptr<const MetadataView> sweeping;
  protocol::GroupId sweep_from_group;
  protocol::TopicName sweep_from_topic;
  std::int64_t removed = 0;  // by the present check
};

struct OffsetsState {
  IdMap<protocol::GroupId, GroupOffsets> groups;  // no empty ones
  std::int64_t count = 0;                         // of offsets
  std::int64_t last_deletion = -1;                // offset of the last tombstone that left a group without offsets

  mutable OffsetsSoft soft;

  // Null when the group has none.
  const GroupOffsets* find(std::string_view group) const;
  const CommittedOffset* find(std::string_view group, std::string_view topic, std::int32_t partition) const;
};

}  // namespace cohort::coordinator
