// Keys of topics and their logs. Ranges are those of Kafka's LogConfig, ServerLogConfigs and CleanerConfig.
#include "server/config/key_store.h"

namespace cohort::config {
namespace {

using S = ServerConfig;
using T = TopicDefaults;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kMinuteMs = 60'000;

template <auto Field>
constexpr auto topic() {
  return &store<&S::topics, Field>;
}

Result<void> set_durability(ServerConfig& config, const Value& value) {
  config.topics.durability = std::get<std::string>(value) == "sync" ? Durability::kSync : Durability::kOs;
  return {};
}

Result<void> set_log_dir(ServerConfig& config, const Value& value) {
  const auto& folders = std::get<std::vector<std::string>>(value);
  if (folders.size() != 1 || folders.front().empty()) {
    return fail(ErrorKind::kInvalid, "exactly one folder (cohort keeps all its data in one)");
  }
  config.log_dir = folders.front();
  return {};
}

std::vector<Key> topic_keys() {
  using enum KeyType;
  return {
      {.name = "num.partitions",
       .type = kInt,
       .default_text = "1",
       .min = 1,
       .doc = "Partitions of a topic that is created without saying how many.",
       .set = topic<&T::num_partitions>()},
      {.name = "auto.create.topics.enable",
       .type = kBoolean,
       .default_text = "true",
       .doc = "Create a topic when a client asks for the metadata of one that does not exist.",
       .set = topic<&T::auto_create>()},
      {.name = "delete.topic.enable",
       .type = kBoolean,
       .default_text = "true",
       .doc = "Allow topics to be deleted.",
       .set = topic<&T::delete_enable>()},
      {.name = "message.max.bytes",
       .type = kInt,
       .default_text = "1048588",
       .min = 0,
       .doc = "Largest record batch that a topic takes; topics may set max.message.bytes.",
       .set = topic<&T::max_message_bytes>()},
      {.name = "min.insync.replicas",
       .type = kInt,
       .default_text = "1",
       .min = 1,
       .doc = "Replicas that acks=all needs. There is one replica here: with more than 1, acks=all always fails.",
       .set = topic<&T::min_insync_replicas>()},
      {.name = "compression.type",
       .type = kString,
       .default_text = "producer",
       .allowed = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"},
       .doc = "How record batches are stored; producer keeps them as they came.",
       .set = topic<&T::compression_type>()},
      {.name = "compression.gzip.level",
       .type = kInt,
       .default_text = "-1",
       .min = -1,
       .max = 9,
       .doc = "Level of gzip where batches are compressed by the server; -1 is the library's own.",
       .set = topic<&T::compression_gzip_level>()},
      {.name = "compression.lz4.level",
       .type = kInt,
       .default_text = "9",
       .min = 1,
       .max = 17,
       .doc = "Level of lz4 where batches are compressed by the server.",
       .set = topic<&T::compression_lz4_level>()},
      {.name = "compression.zstd.level",
       .type = kInt,
       .default_text = "3",
       .min = -131072,
       .max = 22,
       .doc = "Level of zstd where batches are compressed by the server.",
       .set = topic<&T::compression_zstd_level>()},
      {.name = "unclean.leader.election.enable",
       .type = kBoolean,
       .default_text = "false",
       .doc = "Kept and shown for topics; with one replica there is no election.",
       .set = topic<&T::unclean_leader_election>()},
      {.name = "log.message.timestamp.type",
       .type = kString,
       .default_text = "CreateTime",
       .allowed = {"CreateTime", "LogAppendTime"},
       .doc = "Whether a record carries its producer's time or the time at which it was stored.",
       .set = topic<&T::message_timestamp_type>()},
      {.name = "log.message.timestamp.before.max.ms",
       .type = kLong,
       .default_text = "9223372036854775807",
       .min = 0,
       .doc = "How far in the past a record's time may lie.",
       .set = topic<&T::message_timestamp_before_max_ms>()},
      {.name = "log.message.timestamp.after.max.ms",
       .type = kLong,
       .default_text = "3600000",
       .min = 0,
       .doc = "How far in the future a record's time may lie.",
       .set = topic<&T::message_timestamp_after_max_ms>()},
  };
}

std::vector<Key> retention_keys() {
  using enum KeyType;
  return {
      {.name = "log.cleanup.policy",
       .type = kList,
       .default_text = "delete",
       .allowed = {"delete", "compact"},
       .doc = "What happens to old data: delete whole segments, compact by key, or both.",
       .set = topic<&T::cleanup_policy>()},
      {.name = "log.retention.hours",
       .type = kInt,
       .default_text = "168",
       .doc = "How long records are kept; log.retention.minutes and log.retention.ms go before it. -1 is for ever.",
       .set = &store_ms<kHourMs, &S::topics, &T::retention_ms>},
      {.name = "log.retention.minutes",
       .type = kInt,
       .default_text = std::nullopt,
       .doc = "As log.retention.hours, in minutes.",
       .set = &store_ms<kMinuteMs, &S::topics, &T::retention_ms>},
      {.name = "log.retention.ms",
       .type = kLong,
       .default_text = std::nullopt,
       .min = -1,
       .doc = "As log.retention.hours, in milliseconds.",
       .set = topic<&T::retention_ms>()},
      {.name = "log.retention.bytes",
       .type = kLong,
       .default_text = "-1",
       .doc = "Size at which the oldest segments of a partition are deleted; -1 is no limit.",
       .set = topic<&T::retention_bytes>()},
      {.name = "log.retention.check.interval.ms",
       .type = kLong,
       .default_text = "300000",
       .min = 1,
       .doc = "How often old segments are looked for.",
       .set = topic<&T::retention_check_interval>()},
      {.name = "log.segment.delete.delay.ms",
       .type = kLong,
       .default_text = "60000",
       .min = 0,
       .doc = "How long the file of a deleted segment stays.",
       .set = topic<&T::file_delete_delay_ms>()},
      {.name = "log.cleaner.delete.retention.ms",
       .type = kLong,
       .default_text = "86400000",
       .min = 0,
       .doc = "How long compaction keeps the mark of a deleted key.",
       .set = topic<&T::delete_retention_ms>()},
      {.name = "log.cleaner.min.compaction.lag.ms",
       .type = kLong,
       .default_text = "0",
       .min = 0,
       .doc = "How long a record stays before it may be compacted away.",
       .set = topic<&T::min_compaction_lag_ms>()},
      {.name = "log.cleaner.max.compaction.lag.ms",
       .type = kLong,
       .default_text = "9223372036854775807",
       .min = 1,
       .doc = "How long a record may stay uncompacted.",
       .set = topic<&T::max_compaction_lag_ms>()},
      {.name = "log.cleaner.min.cleanable.ratio",
       .type = kDouble,
       .default_text = "0.5",
       .min = 0,
       .max = 1,
       .doc = "Share of a log that must be uncompacted before compaction is worth while.",
       .set = topic<&T::min_cleanable_dirty_ratio>()},
  };
}

std::vector<Key> segment_keys() {
  using enum KeyType;
  return {
      {.name = "log.dir",
       .type = kList,
       .default_text = "/tmp/kafka-logs",
       .doc = "The data folder; log.dirs goes before it.",
       .set = set_log_dir},
      {.name = "log.dirs",
       .type = kList,
       .default_text = std::nullopt,
       .doc = "The data folder. Kafka takes several, cohort one.",
       .set = set_log_dir},
      {.name = "log.segment.bytes",
       .type = kInt,
       .default_text = "1073741824",
       .min = 1 << 20,
       .doc = "Size at which a segment is closed and a new one begun.",
       .set = topic<&T::segment_bytes>()},
      {.name = "log.roll.hours",
       .type = kInt,
       .default_text = "168",
       .min = 1,
       .doc = "Age at which a segment is closed; log.roll.ms goes before it.",
       .set = &store_ms<kHourMs, &S::topics, &T::segment_ms>},
      {.name = "log.roll.ms",
       .type = kLong,
       .default_text = std::nullopt,
       .min = 1,
       .doc = "As log.roll.hours, in milliseconds.",
       .set = topic<&T::segment_ms>()},
      {.name = "log.roll.jitter.hours",
       .type = kInt,
       .default_text = "0",
       .min = 0,
       .doc = "Most time by which the closing of a segment is moved at random; log.roll.jitter.ms goes before it.",
       .set = &store_ms<kHourMs, &S::topics, &T::segment_jitter_ms>},
      {.name = "log.roll.jitter.ms",
       .type = kLong,
       .default_text = std::nullopt,
       .min = 0,
       .doc = "As log.roll.jitter.hours, in milliseconds.",
       .set = topic<&T::segment_jitter_ms>()},
      {.name = "log.index.size.max.bytes",
       .type = kInt,
       .default_text = "10485760",
       .min = 4,
       .doc = "Largest index of a segment.",
       .set = topic<&T::segment_index_bytes>()},
      {.name = "log.index.interval.bytes",
       .type = kInt,
       .default_text = "4096",
       .min = 0,
       .doc = "Bytes of records between two entries of the index.",
       .set = topic<&T::index_interval_bytes>()},
      {.name = "log.preallocate",
       .type = kBoolean,
       .default_text = "false",
       .doc = "Kept and shown for topics; files are never preallocated.",
       .set = topic<&T::preallocate>()},
      {.name = "log.flush.interval.messages",
       .type = kLong,
       .default_text = "9223372036854775807",
       .min = 1,
       .doc = "Records after which a log is synced, on top of what cohort.durability asks for.",
       .set = topic<&T::flush_messages>()},
      {.name = "log.flush.scheduler.interval.ms",
       .type = kLong,
       .default_text = "9223372036854775807",
       .min = 0,
       .doc = "Time after which a log is synced when log.flush.interval.ms is not set.",
       .set = topic<&T::flush_ms>()},
      {.name = "log.flush.interval.ms",
       .type = kLong,
       .default_text = std::nullopt,
       .min = 0,
       .doc = "Time after which a log is synced, on top of what cohort.durability asks for.",
       .set = topic<&T::flush_ms>()},
      {.name = "cohort.durability",
       .type = kString,
       .default_text = "os",
       .allowed = {"os", "sync"},
       .doc = "What an acknowledgement of acks=all promises: os survives the death of the process, sync that of the "
              "machine. Offsets and groups are always synced.",
       .set = set_durability},
      {.name = "cohort.verify.logs.on.start",
       .type = kBoolean,
       .default_text = "false",
       .doc =
           "Read all records of all topics at each start and refuse damaged ones. Offsets, groups and the catalogue of "
           "topics are always checked.",
       .set = &store<&S::verify_logs_on_start>},
      {.name = "cohort.log.threads",
       .type = kInt,
       .default_text = "0",
       .min = 0,
       .max = 64,
       .doc = "Threads that write and sync; 0 is as many as reactors, at least 2.",
       .set = &store<&S::log_threads>},
      {.name = "producer.id.expiration.ms",
       .type = kInt,
       .default_text = "86400000",
       .min = 1,
       .doc = "How long an idle producer is remembered, so that its repeats are recognised.",
       .set = &store<&S::producer_id_expiration>},
  };
}

}  // namespace

std::vector<Key> log_keys() {
  std::vector<Key> all = segment_keys();
  for (auto part : {topic_keys(), retention_keys()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace cohort::config
