// What a log knows of leader epochs, for readers, and how recovery finds those that the checkpoint does not know.
#include "server/storage/batch_scanner.h"
#include "server/storage/log.h"
#include "server/storage/log_recovery.h"

namespace cohort::storage {

EpochEnd Log::end_of_epoch(std::int32_t epoch, std::int32_t current) const {
  const std::lock_guard lock(mutex_);
  return epochs_.end_of(epoch, current, end_offset());
}

std::int32_t Log::epoch_at(std::int64_t offset, std::int32_t current) const {
  const std::lock_guard lock(mutex_);
  return epochs_.epoch_at(offset, current, end_offset());
}

// An index may cover more than the checkpoint (a crash came between the two): those batches are not scanned, only their
// headers are looked at.
Result<void> Log::Recovery::walk_epochs(const Found& found, std::uint64_t covered_bytes) {
  if (found.base_offset < checkpoint_.segment_base) return {};
  const bool begins_here = found.base_offset > checkpoint_.segment_base;
  const std::uint64_t position = begins_here ? 0 : checkpoint_.position;
  if (covered_bytes <= position) return {};
  const std::int64_t offset = position == 0 ? found.base_offset : checkpoint_.recovery_offset;
  BatchScanner scanner(*found.file, position, covered_bytes, offset, Chain::kExact, Check::kHeaders);
  while (true) {
    const auto batch = scanner.next();
    if (!batch && batch.error().kind == ErrorKind::kIo) return std::unexpected(batch.error());
    if (!batch) return damaged(found, scanner.position(), batch.error().message);
    if (!*batch) return {};
    log_.epochs_.add((*batch)->partition_leader_epoch(), (*batch)->base_offset());
  }
}

}  // namespace cohort::storage
