// One step of a coordinator: what every handler is given. Valid during the step; references only.
// state is const: a handler says with records what is to change. Soft state in it is mutable.
#pragma once

#include "server/config/group_config.h"
#include "server/coordinator/core/context.h"
#include "server/coordinator/core/output.h"
#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

struct Step {
  const config::GroupConfig& config;
  const GroupState& state;
  const Context& context;
  Output& output;
};

}  // namespace cohort::coordinator
