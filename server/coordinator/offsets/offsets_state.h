// The committed offsets of all groups of a shard: hard state, made by records alone.
// Owned by GroupState, touched on the shard's thread alone.
#pragma once

namespace cohort::coordinator {

struct OffsetsState {};

}  // namespace cohort::coordinator
