// What a partition remembers of its idempotent producers: epoch and the last five batches of each, so that a repeat is
// recognised and a gap refused (Kafka: ProducerStateManager, ProducerStateEntry, ProducerAppendInfo).
// Pure. Owned by a PartitionCore, on its reactor's thread.
//
// Where it differs from Kafka: a producer is forgotten by the time of its last append, not by the timestamps in its
// records, and a snapshot keeps all five batches, so that a repeat is recognised across a restart as well.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "protocol/base/seeded_hash.h"
#include "protocol/batch/record_batch.h"
#include "protocol/types/error_code.h"

namespace cohort::topics {

struct ProducerBatch {
  std::int32_t first_sequence = 0;
  std::int32_t last_sequence = 0;
  std::int64_t first_offset = 0;
  std::int64_t last_offset = 0;
  std::int64_t max_timestamp_ms = -1;
  friend bool operator==(const ProducerBatch&, const ProducerBatch&) = default;
};

class ProducerEntry {
 public:
  static constexpr std::size_t kBatches = 5;

  std::int16_t epoch = protocol::kNoProducerEpoch;
  std::int64_t last_append_ms = -1;  // wall time

  // Oldest first.
  std::span<const ProducerBatch> batches() const { return {batches_.data(), count_}; }
  void add(const ProducerBatch& batch);
  void clear_batches() { count_ = 0; }

  friend bool operator==(const ProducerEntry& a, const ProducerEntry& b);

 private:
  std::array<ProducerBatch, kBatches> batches_{};
  std::size_t count_ = 0;
};

// By producer id, which clients choose.
using ProducerEntries = std::unordered_map<std::int64_t, ProducerEntry, SeededHash>;

class ProducerTable {
 public:
  // max_producers > 0. expiration_ms: how long a producer is remembered after its last append.
  ProducerTable(std::size_t max_producers, std::int64_t expiration_ms)
      : max_producers_(max_producers), expiration_ms_(expiration_ms) {}

  struct Verdict {
    protocol::ErrorCode error = protocol::ErrorCode::kNone;  // OUT_OF_ORDER_SEQUENCE_NUMBER or INVALID_PRODUCER_EPOCH
    std::optional<ProducerBatch> duplicate = {};             // success: it is in the log already
    std::string message = {};
  };
  // Precondition: the batch has a producer id.
  Verdict check(const protocol::BatchHeader& batch, std::int64_t now_ms) const;

  // The batch is (about to be) in the log at its base offset. Batches without a producer id are ignored.
  void record(const protocol::BatchHeader& batch, std::int64_t now_ms);

  void forget_expired(std::int64_t now_ms);
  // For snapshots.
  void restore(std::int64_t producer_id, const ProducerEntry& entry);
  const ProducerEntries& entries() const { return entries_; }

 private:
  bool is_expired(const ProducerEntry& entry, std::int64_t now_ms) const {
    return now_ms - entry.last_append_ms >= expiration_ms_;
  }
  void make_room();

  std::size_t max_producers_;
  std::int64_t expiration_ms_;
  ProducerEntries entries_;
};

}  // namespace cohort::topics
