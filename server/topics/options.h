// What the topic store needs to know of the configuration, and its bounds: plain values with Kafka's defaults.
// Filled in by `app`, copied by the store, never changed while it lives.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "protocol/base/time.h"
#include "server/config/server_config.h"

namespace cohort::topics {

struct TopicStoreOptions {
  std::int32_t node_id = 1;
  config::TopicDefaults defaults;
  config::CleanerConfig cleaner;
  config::GroupConfig group;            // the bounds of what groups may set for themselves
  std::int32_t offsets_partitions = 4;  // of __consumer_offsets when the data folder is made; > 0
  std::int32_t offsets_segment_bytes = 100 * 1024 * 1024;
  config::Durability offsets_durability = config::Durability::kSync;
  bool verify_logs_on_start = false;  // read and check all of every log, not only those that the server itself needs
  Duration producer_id_expiration = std::chrono::hours{24};
  std::int32_t fetch_max_bytes = 55 * 1024 * 1024;  // a fetch may ask for less, never for more
  std::int32_t fetch_session_slots = 1000;          // of all reactors together; 0: no fetch sessions
  Duration retry_after = std::chrono::seconds{1};   // after a failed write, before its log is tried again

  // Bounds of this process. Over one of them: POLICY_VIOLATION for topics and partitions, THROTTLING_QUOTA_EXCEEDED for
  // catalogue changes that wait, and the answers named below.
  std::int32_t max_topics = 20'000;
  std::int32_t max_partitions = 100'000;             // of all topics together
  std::size_t max_configured_groups = 20'000;        // groups with settings of their own
  std::int32_t max_partitions_per_request = 10'000;  // created by one request (as Kafka)
  std::size_t max_pending_changes = 10'000;          // catalogue requests that wait for the disk
  std::size_t max_inflight_bytes = 256U << 20U;  // records of one reactor on their way to the disk: KAFKA_STORAGE_ERROR
  // Of one batch, while it is looked at, and twice max.message.bytes in any case: MESSAGE_TOO_LARGE. It is decompressed
  // in one go on its reactor, so this also bounds how long that takes: 32 MiB of gzip about 0.3 s.
  std::size_t max_decompressed_bytes = 32U << 20U;
  std::size_t max_parked_fetches = 20'000;           // of one reactor; one more is answered at once with what there is
  std::size_t max_producers_per_partition = 20'000;  // those idle longest are forgotten
  std::uint64_t producer_snapshot_bytes = 64U << 20U;  // a snapshot of producer state for every so many bytes of log
};

}  // namespace cohort::topics
