#include "server/runtime/shard.h"

#include "server/runtime/group_family.h"
#include "server/runtime/shard_impl.h"

namespace cohort::runtime {

template class ShardCall<GroupFamily>;
template class Shard<GroupFamily>;

}  // namespace cohort::runtime
