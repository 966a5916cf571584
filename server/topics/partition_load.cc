#include "server/topics/partition_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/storage/log.h"
#include "server/topics/producer_snapshot.h"

namespace cohort::topics {
namespace {

constexpr std::size_t kSliceBytes = std::size_t{1} << 20;

// Recovery has checked what is above the recovery point, so the headers are taken as they are.
// Gives the bytes that were looked at.
Result<std::uint64_t> replay_headers(const storage::Log& log, std::int64_t from, std::int64_t now_ms,
                                     ProducerTable& producers) {
  const std::int64_t end = log.end_offset();
  std::uint64_t bytes = 0;
  while (from < end) {
    const auto read = log.read(from, kSliceBytes, end, true);
    if (!read) return std::unexpected(read.error());
    if (read->batches.empty()) return fail(ErrorKind::kCorrupt, fmt::format("{} ends at {}", log.dir(), from));
    for (auto rest = read->batches.view(); !rest.empty();) {
      const auto header = protocol::parse_batch_header(rest);
      if (!header) return std::unexpected(header.error());
      // The time of the append is not kept, and the records' own may be as old as they like: a producer counts as
      // seen just now, so that a repeat across the restart is recognised. Their number is bounded.
      producers.record(*header, now_ms);
      rest = rest.subspan(std::min(rest.size(), header->size_in_bytes()));
    }
    bytes += read->batches.size();
    from = read->next_offset;
  }
  return bytes;
}

}  // namespace

Result<LoadedPartition> load_partition(storage::Fs& fs, const storage::Log& log, std::int32_t leader_epoch,
                                       const TopicStoreOptions& options, std::int64_t now_ms) {
  ProducerTable producers(options.max_producers_per_partition, options.producer_id_expiration.count());
  const std::int64_t start = log.start_offset();
  const auto snapshot = load_producers(fs, log.dir(), start, log.end_offset(), producers);
  if (!snapshot) return std::unexpected(snapshot.error());
  const auto tail = replay_headers(log, snapshot->value_or(start), now_ms, producers);
  if (!tail) return std::unexpected(tail.error());
  producers.forget_expired(now_ms);
  return LoadedPartition{
      PartitionCore(log.end_offset(), leader_epoch, std::move(producers), options.max_decompressed_bytes), *tail};
}

}  // namespace cohort::topics
