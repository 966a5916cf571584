#include "server/runtime/shard_core.h"

#include "server/runtime/group_family.h"
#include "server/runtime/shard_core_impl.h"

namespace cohort::runtime {

const char* name_of(ShardState state) {
  switch (state) {
    case ShardState::kIdle:
      return "idle";
    case ShardState::kLoading:
      return "loading";
    case ShardState::kReadOnly:
      return "read only";
    case ShardState::kActive:
      return "active";
    case ShardState::kFailed:
      return "failed";
    case ShardState::kStopping:
      return "stopping";
  }
  return "?";
}

template class ShardCore<GroupFamily>;

}  // namespace cohort::runtime
