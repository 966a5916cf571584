// Sorts a record to the family that it belongs to.
#pragma once

#include <cstdint>

#include "protocol/base/result.h"
#include "protocol/records/group_record.h"
#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

// See GroupCoordinator::apply.
Result<void> apply(GroupState& state, const protocol::GroupRecord& record, std::int64_t offset);

}  // namespace cohort::coordinator
