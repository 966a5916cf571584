// What can be asked of the topic store about data, and its answers: plain values, one list per call, answers in the
// order of the request. Topics are named by id: `api` resolves names once, through the CatalogueSnapshot, and answers
// UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID and INCONSISTENT_TOPIC_ID itself. An id that is gone by the time the
// partition is reached is UNKNOWN_TOPIC_OR_PARTITION here.
//
// Why not the generated messages: they differ from version to version in what they name (names or ids), while the store
// needs one shape, and the answers of several reactors are joined here before a response is built once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/types/error_code.h"
#include "protocol/types/ids.h"
#include "protocol/wire/records.h"
#include "server/storage/leader_epochs.h"

namespace cohort::topics {

struct PartitionId {
  protocol::TopicId topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const PartitionId&, const PartitionId&) = default;
};

// ---- Produce ----
// Internal topics are written by the server alone: INVALID_TOPIC_EXCEPTION, also for clients with id __admin_client,
// whom Kafka lets through.

struct ProducePartition {
  PartitionId id;
  protocol::Bytes
      records;  // as they came: exactly one RecordBatch v2, else INVALID_RECORD. Kept until it is in the log
};
struct ProduceCall {
  std::int16_t acks = -1;    // -1 all, 1, 0; anything else answers INVALID_REQUIRED_ACKS for each partition
  std::int16_t version = 3;  // of the Produce request: zstd is UNSUPPORTED_COMPRESSION_TYPE below 7
  std::vector<ProducePartition> partitions;
};
struct RecordRefusal {
  std::int32_t batch_index = 0;  // of the record in its batch
  std::string message;
};
struct ProducedPartition {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int64_t base_offset = -1;
  std::int64_t log_append_time_ms = -1;  // -1 unless the topic has message.timestamp.type=LogAppendTime
  std::int64_t log_start_offset = -1;
  std::string message;                       // why, for a person; empty when there is no more to say than the code does
  std::vector<RecordRefusal> record_errors;  // the records that INVALID_RECORD or INVALID_TIMESTAMP is about
};

// ---- Fetch ----

enum class IsolationLevel : std::int8_t { kReadUncommitted = 0, kReadCommitted = 1 };

struct FetchPartition {
  PartitionId id;
  std::int64_t fetch_offset = 0;
  std::int32_t max_bytes = 0;              // of this partition
  std::int32_t current_leader_epoch = -1;  // -1: not checked; else FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH
  std::int32_t last_fetched_epoch = -1;    // of the record before fetch_offset; negative: not known, not checked
};
struct FetchCall {
  std::int32_t min_bytes = 1;
  std::int32_t max_bytes =
      0;  // of the whole answer, in request order; the first batch of all comes whole, however large
  std::int32_t max_wait_ms = 0;  // how long to wait for min_bytes; an error in any partition answers at once
  IsolationLevel isolation = IsolationLevel::kReadUncommitted;
  std::vector<FetchPartition> partitions;
};
struct FetchedPartition {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int64_t high_watermark = -1;
  std::int64_t last_stable_offset = -1;
  std::int64_t log_start_offset = -1;
  std::int32_t leader_epoch = -1;
  std::optional<storage::EpochEnd> diverging;  // what the client has read stands here only up to that; no records then
  // Whole batches, in memory or in the file; empty when there is nothing to read.
  protocol::Records records;

  // The answer does not wait for records (DelayedFetch).
  bool is_urgent() const { return error != protocol::ErrorCode::kNone || diverging; }
};

// ---- ListOffsets ----

// Timestamps with a meaning of their own (ListOffsetsRequest, KIP-405, KIP-734, KIP-1005, KIP-1023).
inline constexpr std::int64_t kLatestTimestamp = -1;
inline constexpr std::int64_t kEarliestTimestamp = -2;
inline constexpr std::int64_t kMaxTimestamp = -3;
inline constexpr std::int64_t kEarliestLocalTimestamp = -4;
inline constexpr std::int64_t kLatestTieredTimestamp = -5;
inline constexpr std::int64_t kEarliestPendingUploadTimestamp = -6;

struct ListOffsetsPartition {
  PartitionId id;
  std::int64_t timestamp = kLatestTimestamp;
  std::int32_t current_leader_epoch = -1;
};
struct ListOffsetsCall {
  IsolationLevel isolation = IsolationLevel::kReadUncommitted;
  std::vector<ListOffsetsPartition> partitions;
};
struct ListedOffset {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int64_t timestamp = -1;  // of the record found, only for a search by time and for kMaxTimestamp
  std::int64_t offset = -1;     // -1: there is none
  std::int32_t leader_epoch = -1;
};

// ---- OffsetForLeaderEpoch ----

struct EpochEndPartition {
  PartitionId id;
  std::int32_t leader_epoch = -1;          // asked about
  std::int32_t current_leader_epoch = -1;  // as in a fetch
};
struct EpochEndAnswer {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  storage::EpochEnd end;
};

// ---- DeleteRecords ----

inline constexpr std::int64_t kDeleteToHighWatermark = -1;

struct DeleteRecordsPartition {
  PartitionId id;
  std::int64_t offset = 0;  // records below it go; at most the high watermark, else OFFSET_OUT_OF_RANGE
};
struct DeletedRecords {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::int64_t low_watermark = -1;  // the log's start, durably; may be above what was asked for
};

// ---- DescribeProducers ----

struct ProducersPartition {
  PartitionId id;
};
struct ActiveProducer {
  std::int64_t id = -1;
  std::int16_t epoch = -1;
  std::int32_t last_sequence = -1;
  std::int64_t last_timestamp_ms = -1;  // the largest of its last batch
};
struct ActiveProducers {
  protocol::ErrorCode error = protocol::ErrorCode::kNone;
  std::vector<ActiveProducer> producers;  // by id
};

}  // namespace cohort::topics
