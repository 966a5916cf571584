// The whole configuration of one process as plain values. Made once by load() (config.h) from defaults, file,
// environment and overrides; owned by `app`, read by all rooms, never changed while the process lives.
//
// Why structs and not look-ups by key: a typo does not compile, a test writes a literal, and the path of a request pays
// nothing. Every value here has one row in the key table (key.h), which holds its Kafka name, range, default and
// explanation.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "protocol/base/log.h"
#include "protocol/base/time.h"
#include "server/config/group_config.h"

namespace cohort::config {

// cohort.durability: what an acknowledgement of a topic's records promises; cohort.coordinator.durability: what one of
// offsets and groups does. kOs survives the death of the process, kSync that of the machine.
enum class Durability : std::uint8_t { kOs, kSync };

// host is empty for "all addresses"; an IPv6 host stands without brackets. port 0: the system chooses.
struct Listener {
  std::string name = "PLAINTEXT";
  std::string host;
  std::uint16_t port = 9092;
  friend bool operator==(const Listener&, const Listener&) = default;
};

// listener.security.protocol.map: by the name of a listener, in upper case.
using SecurityProtocols = std::map<std::string, std::string, std::less<>>;

struct NetConfig {
  std::vector<Listener> listeners = {Listener{}};
  // As many as listeners, same names and order. What advertised.listeners does not name: the listener itself. An empty
  // host: the machine's own name. port 0: the port that the listener got.
  std::vector<Listener> advertised = {Listener{}};
  SecurityProtocols security_protocols = {
      {"PLAINTEXT", "PLAINTEXT"}, {"SSL", "SSL"}, {"SASL_PLAINTEXT", "SASL_PLAINTEXT"}, {"SASL_SSL", "SASL_SSL"}};
  std::int32_t request_max_bytes = 100 * 1024 * 1024;  // socket.request.max.bytes, > 0
  // queued.max.request.bytes: memory for frames of all connections together, never below request_max_bytes.
  // Kafka's -1 (no limit) is taken as 1 GiB, since nothing here is unbounded.
  std::int64_t queued_max_bytes = std::int64_t{1} << 30;
  // cohort.queued.max.reply.bytes: memory for answers that clients have not taken yet, of all connections together, >
  // 0.
  std::int64_t queued_max_reply_bytes = std::int64_t{512} << 20;
  std::int32_t listen_backlog = 4096;              // Kafka: 50, of which a burst of clients loses its SYNs for a second
  std::int32_t send_buffer_bytes = 100 * 1024;     // -1: the system's default
  std::int32_t receive_buffer_bytes = 100 * 1024;  // -1: the system's default
  std::int32_t max_connections = std::numeric_limits<std::int32_t>::max();
  std::int32_t max_connections_per_ip = std::numeric_limits<std::int32_t>::max();
  Duration max_idle = std::chrono::minutes{10};       // connections.max.idle.ms; negative: never
  Duration stall_timeout = std::chrono::seconds{30};  // cohort.connections.stall.timeout.ms
  friend bool operator==(const NetConfig&, const NetConfig&) = default;
};

// What a topic has that does not say otherwise. Kafka's server keys log.*, named as the topic keys are.
struct TopicDefaults {
  std::int32_t num_partitions = 1;       // num.partitions, > 0
  bool auto_create = true;               // auto.create.topics.enable
  bool delete_enable = true;             // delete.topic.enable
  std::int32_t segment_bytes = 1 << 30;  // >= 1 MiB
  std::int64_t segment_ms = 168LL * 3600 * 1000;
  std::int64_t segment_jitter_ms = 0;
  std::int32_t segment_index_bytes = 10 * 1024 * 1024;
  std::int32_t index_interval_bytes = 4096;
  std::int64_t retention_bytes = -1;                            // -1: no limit
  std::int64_t retention_ms = 168LL * 3600 * 1000;              // -1: for ever
  Duration retention_check_interval = std::chrono::minutes{5};  // log.retention.check.interval.ms
  std::vector<std::string> cleanup_policy = {"delete"};         // "delete", "compact", both or none
  std::int64_t delete_retention_ms = 24LL * 3600 * 1000;
  std::int64_t min_compaction_lag_ms = 0;
  std::int64_t max_compaction_lag_ms = std::numeric_limits<std::int64_t>::max();
  double min_cleanable_dirty_ratio = 0.5;  // 0..1
  std::int64_t file_delete_delay_ms = 60'000;
  std::int64_t flush_messages = std::numeric_limits<std::int64_t>::max();
  std::int64_t flush_ms = std::numeric_limits<std::int64_t>::max();
  std::int32_t max_message_bytes = 1024 * 1024 + 12;
  std::int32_t min_insync_replicas = 1;
  bool unclean_leader_election = false;
  bool preallocate = false;
  std::string compression_type = "producer";          // producer, uncompressed, gzip, snappy, lz4, zstd
  std::int32_t compression_gzip_level = -1;           // -1 or 1..9
  std::int32_t compression_lz4_level = 9;             // 1..17
  std::int32_t compression_zstd_level = 3;            // -131072..22
  std::string message_timestamp_type = "CreateTime";  // or LogAppendTime
  std::int64_t message_timestamp_before_max_ms = std::numeric_limits<std::int64_t>::max();
  std::int64_t message_timestamp_after_max_ms = 3'600'000;
  Durability durability = Durability::kOs;  // cohort.durability
  friend bool operator==(const TopicDefaults&, const TopicDefaults&) = default;
};

// Compaction by key (Kafka: CleanerConfig); what a topic may set for itself is in TopicDefaults.
struct CleanerConfig {
  bool enable = true;                                    // log.cleaner.enable
  std::int32_t threads = 1;                              // log.cleaner.threads, 1..64
  std::int64_t dedupe_buffer_bytes = 128LL << 20;        // log.cleaner.dedupe.buffer.size, of all threads together
  Duration backoff = std::chrono::milliseconds{15'000};  // log.cleaner.backoff.ms: between two looks at what is dirty
  friend bool operator==(const CleanerConfig&, const CleanerConfig&) = default;
};

// The internal topic of the group coordinator.
struct OffsetsTopicConfig {
  std::int32_t num_partitions = 0;  // 0: max(4, 2 * cores), decided when the data folder is made
  std::int32_t segment_bytes = 100 * 1024 * 1024;
  Durability durability = Durability::kSync;  // cohort.coordinator.durability
  friend bool operator==(const OffsetsTopicConfig&, const OffsetsTopicConfig&) = default;
};

// What is logged from the start on; IncrementalAlterConfigs on BROKER_LOGGER changes it while the server runs.
struct LogConfig {
  log::Level level = log::Level::kInfo;                    // cohort.log.level: of components without their own
  std::vector<std::pair<std::string, log::Level>> levels;  // cohort.log.levels; names may be unknown here
  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct ServerConfig {
  std::int32_t node_id = 1;
  std::string cluster_id;  // cohort.cluster.id, for a new data folder; empty: a random one
  std::string rack;        // empty: none
  std::string log_dir = "/tmp/kafka-logs";
  std::int32_t reactors = 0;          // cohort.reactors; 0: one per core
  std::int32_t log_threads = 0;       // cohort.log.threads; 0: as many as reactors, at least 2
  bool verify_logs_on_start = false;  // cohort.verify.logs.on.start
  Duration producer_id_expiration = std::chrono::hours{24};
  std::int32_t fetch_max_bytes = 55 * 1024 * 1024;  // fetch.max.bytes, >= 1024
  std::int32_t fetch_session_slots = 1000;          // max.incremental.fetch.session.cache.slots, >= 0
  std::int32_t max_request_partitions = 2000;       // max.request.partition.size.limit, > 0
  NetConfig net;
  LogConfig log;
  TopicDefaults topics;
  CleanerConfig cleaner;
  OffsetsTopicConfig offsets_topic;
  GroupConfig group;
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

}  // namespace cohort::config
