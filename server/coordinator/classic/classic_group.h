// A classic group: what its last GroupMetadata record says, which is all of it that outlives the process. Owned by
// GroupState, changed in apply.cc alone.
//
// What the group does at present (who has joined, who waits for an answer) is its round, see round.h. Kafka keeps both
// in one object and writes it down when a leader has synced; a rebalance that was not finished is forgotten when the
// coordinator moves, and its members join again. Here the two are apart, so that it can be seen what is forgotten.
#pragma once

#include <cstdint>

#include "protocol/records/group_record.h"

namespace cohort::coordinator {

struct ClassicGroup {
  protocol::GroupMetadataValue stored;  // owns its bytes
  std::int64_t last_record = -1;        // offset of the last record about this group
};

}  // namespace cohort::coordinator
