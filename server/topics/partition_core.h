// The decisions of one partition: which batch may be appended, at which offset, what a repeat is answered, and how far
// consumers may read. Pure; owned by a Partition, on its reactor's thread.
//
// A decision is booked at once (offsets, producer state), before its bytes are in the log, so that the next batch of
// the same producer is judged rightly while the first is on its way. Only I/O can fail after that; then the whole core
// is thrown away and made again from the log, as a shard's state is: there is no second way back.
//
// Leader epoch: fixed for the life of the process, higher in the next one (see CatalogueSnapshot::leader_epoch).
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "protocol/wire/byte_buffer.h"
#include "server/topics/producer_state.h"
#include "server/topics/topic_config.h"
#include "server/topics/topic_requests.h"

namespace cohort::topics {

class PartitionCore {
 public:
  // The log ends at end_offset, all of it counts as met. max_decompressed_bytes: see TopicStoreOptions.
  PartitionCore(std::int64_t end_offset, std::int32_t leader_epoch, ProducerTable producers,
                std::size_t max_decompressed_bytes);

  struct Produced {
    ProducedPartition answer;  // an error, or the offsets; log_start_offset is the driver's
    // Where the log must have got to before the answer is true: written, and for acks=all as durable as the topic
    // promises. -1: at once.
    std::int64_t needs_end_offset = -1;
    bool appended = false;  // bytes were added to out
  };
  // One entry of a Produce request. Adds the batch, ready for the log, to the end of `out`. scratch: for decompressed
  // records, used again from call to call.
  Produced produce(std::span<const std::byte> records, std::int16_t acks, std::int16_t version,
                   const TopicConfig& config, std::int64_t now_ms, std::vector<std::byte>& out,
                   protocol::ByteBuffer& scratch);

  // The log has the bytes below this offset; it has them on the disk. Neither falls.
  void written(std::int64_t end_offset);
  void durable(std::int64_t end_offset);

  std::int32_t leader_epoch() const { return leader_epoch_; }
  std::int64_t next_offset() const { return next_offset_; }  // of the next batch
  std::int64_t written_offset() const { return written_; }   // exclusive
  std::int64_t durable_offset() const { return durable_; }   // exclusive
  // Exclusive: the end of the prefix in which each batch has met its own acks policy.
  std::int64_t high_watermark() const { return high_watermark_; }
  ProducerTable& producers() { return producers_; }
  const ProducerTable& producers() const { return producers_; }

 private:
  struct Promise {  // a batch with acks=all in a topic that syncs
    std::int64_t base_offset;
    std::int64_t end_offset;
  };
  void move_high_watermark();

  std::int32_t leader_epoch_;
  std::int64_t next_offset_;
  std::int64_t written_;
  std::int64_t durable_;
  std::int64_t high_watermark_;
  std::deque<Promise> promises_;  // not yet durable, by offset
  ProducerTable producers_;
  std::size_t max_decompressed_bytes_;
};

// FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH or nothing (Partition.checkCurrentLeaderEpoch). `current` is what the
// client takes for the leader epoch; -1: not checked.
protocol::ErrorCode check_leader_epoch(std::int32_t current, std::int32_t leader_epoch);

}  // namespace cohort::topics
