// All that the groups of one shard are: hard state, made by records alone, and soft state, rebuilt after load.
// Owned by GroupCoordinator, on the shard's thread. Handlers get it as const (see step.h): only apply changes hard
// state, soft state is mutable.
//
// One map per family instead of one map of a common base class: the families share nothing but the id, and each offset
// API must look at two of them anyway.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/base/time.h"
#include "protocol/types/ids.h"
#include "server/coordinator/classic/classic_group.h"
#include "server/coordinator/classic/round.h"
#include "server/coordinator/consumer/consumer_group.h"
#include "server/coordinator/core/group_census.h"
#include "server/coordinator/core/id_map.h"
#include "server/coordinator/core/metadata_view.h"
#include "server/coordinator/offsets/offsets_state.h"

namespace cohort::coordinator {

// A group of a family that is not served. Its records stay in the log (compaction keeps the last of each key), so
// nothing is lost by not reading them; but its id is taken: were a consumer group made under it, the log would hold two
// groups of one name, which Kafka refuses to load. Refusing the whole shard instead would punish every other group.
struct ForeignGroup {
  enum class Type : std::uint8_t { kShare, kStreams };
  Type type = Type::kShare;
  std::int64_t last_record = -1;
  friend bool operator==(const ForeignGroup&, const ForeignGroup&) = default;
};

struct SoftState {
  // One for each classic group: what runs in it.
  IdMap<protocol::GroupId, Round> rounds;
  // Groups with a job under way, and when it was handed out: a second one is not started meanwhile. A job whose result
  // has not come for a while counts as lost, so that no group waits for ever.
  std::map<protocol::GroupId, MonoTime, std::less<>> resolving;  // regular expressions
  std::map<protocol::GroupId, MonoTime, std::less<>> assigning;  // target assignments
  // The last view that was looked at, and the version of the last one that brought a new topic.
  std::shared_ptr<const MetadataView> metadata;
  std::int64_t new_topics_version = 0;
  MonoTime next_complaint{};  // when the log may say again that a limit was reached
};

struct GroupState {
  IdMap<protocol::GroupId, ConsumerGroup> consumer_groups;
  IdMap<protocol::GroupId, ClassicGroup> classic_groups;
  std::map<protocol::GroupId, ForeignGroup, std::less<>> foreign_groups;
  OffsetsState offsets;
  GroupCensus census;               // of all of these; derived
  std::int64_t last_record = -1;    // offset of the last record of all
  std::int64_t last_deletion = -1;  // offset of the last record that removed a group: what "there is none" rests on

  mutable SoftState soft;

  // Null when there is none.
  const ConsumerGroup* find_consumer_group(std::string_view id) const {
    const auto it = consumer_groups.find(id);
    return it != consumer_groups.end() ? &it->second : nullptr;
  }
};

// The hard state in a canonical form, one fact per line: equal states give equal texts. For tests and the simulation.
std::string dump(const GroupState& state);

}  // namespace cohort::coordinator
