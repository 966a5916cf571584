// A log of records with keys in a MemFs, and what it comes to: what the tests of compaction share.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/batch/batch_builder.h"
#include "server/storage/compaction.h"
#include "tests/unit/storage/support.h"

namespace cohort::storage::test {

struct KeyedRecord {
  std::optional<std::string> key;
  std::optional<std::string> value;  // none: a tombstone
  std::int64_t timestamp_ms = 1000;
};

std::vector<std::byte> make_keyed_batch(const std::vector<KeyedRecord>& records, protocol::BatchOptions options);

struct StoredRecord {
  std::int64_t offset = 0;
  KeyedRecord record;
};

// What a reader sees from an offset on, in order; checks checksums and that offsets rise on the way.
Result<std::vector<StoredRecord>> read_records(const std::shared_ptr<Log>& log, std::int64_t from_offset);
// The same as "0:a=1", "1:b" (a tombstone); "[0-4]" for an empty batch.
std::vector<std::string> listing(const std::shared_ptr<Log>& log);

using KeyValues = std::map<std::string, std::string>;
void apply(KeyValues& state, const KeyedRecord& record);
KeyValues state_of(const std::vector<StoredRecord>& records);

inline Result<void> right_here(std::move_only_function<Result<void>()> step) {
  return step();
}

}  // namespace cohort::storage::test
