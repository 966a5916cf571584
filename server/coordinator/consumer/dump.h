// The consumer groups' part of dump(): every fact of the hard state, in a canonical order.
#pragma once

#include <string>

#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

void dump_consumer_groups(const GroupState& state, std::string& out);

}  // namespace cohort::coordinator
