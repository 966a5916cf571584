// Making a PartitionCore from a log: the newest usable snapshot of producer state, then the batch headers behind it.
// Blocks; on log threads or at start-up. Used at start and after a failed write alike.
#pragma once

#include <memory>

#include "protocol/base/result.h"
#include "server/topics/options.h"
#include "server/topics/partition_core.h"

namespace cohort::storage {
class Fs;
class Log;
}  // namespace cohort::storage

namespace cohort::topics {

struct LoadedPartition {
  PartitionCore core;
  std::uint64_t tail_bytes = 0;  // of log behind the snapshot
};

Result<LoadedPartition> load_partition(storage::Fs& fs, const storage::Log& log, std::int32_t leader_epoch,
                                       const TopicStoreOptions& options, std::int64_t now_ms);

}  // namespace cohort::topics
