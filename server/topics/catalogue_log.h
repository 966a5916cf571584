// The catalogue's own log: records in, records out, and the rule that keeps it short. Blocks: log threads or start-up.
//
// Keeping it short. Every record says all of a topic, so the whole state written once more makes everything before it
// superfluous: a new segment, the state, a sync, and only then the start of the log moves up. A crash in between leaves
// both, which reads the same. Why no compaction by key: the state is small and known, nothing needs to be merged.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/records/catalogue_record.h"
#include "protocol/types/ids.h"
#include "server/topics/catalogue_core.h"

namespace cohort::storage {
class Log;
class LogSet;
struct LogId;
}  // namespace cohort::storage

namespace cohort::topics {

class CatalogueLog {
 public:
  static storage::LogId log_id();
  static Result<CatalogueLog> open(storage::LogSet& logs);

  // Applies all records of the log to an empty core. kCorrupt names the place.
  Result<void> replay(CatalogueCore& core);
  // Appends and syncs; after a failure and recover() none of the records is in the log. Not empty.
  Result<void> write(const std::vector<protocol::CatalogueRecord>& records, std::int64_t now_ms);
  // Appends without a sync: durable with the next write.
  Result<void> note(const std::vector<protocol::CatalogueRecord>& records, std::int64_t now_ms);
  // snapshot: the state as of the last record written.
  Result<void> replace_all(const std::vector<protocol::CatalogueRecord>& snapshot, std::int64_t now_ms);
  // After a failed write: makes the log writable again, ending where it is durable.
  Result<void> recover();

  // Grows with every write, over restarts too.
  std::int64_t end_offset() const;
  // True when the log holds so much more than `live` records that it should be replaced.
  bool is_long(std::size_t live) const;

 private:
  explicit CatalogueLog(std::shared_ptr<storage::Log> log) : log_(std::move(log)) {}
  Result<void> append(std::span<const protocol::CatalogueRecord> records, std::int64_t now_ms);

  std::shared_ptr<storage::Log> log_;
};

}  // namespace cohort::topics
