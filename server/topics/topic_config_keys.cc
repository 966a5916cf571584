#include "server/topics/topic_config_keys.h"

#include <fmt/format.h>

#include <algorithm>

namespace cohort::topics {
namespace {

using Defaults = config::TopicDefaults;

constexpr std::string_view kCleanupPolicies[] = {"compact", "delete"};
constexpr std::string_view kCompressionTypes[] = {"uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"};
constexpr std::string_view kTimestampTypes[] = {"CreateTime", "LogAppendTime"};
constexpr std::string_view kDurabilities[] = {"os", "sync"};
constexpr std::string_view kNever[] = {"false"};

std::string text(std::int64_t value) {
  return fmt::format("{}", value);
}
std::string text(bool value) {
  return value ? "true" : "false";
}
std::string text(double value) {
  // As Java prints a double: never without a decimal point.
  std::string printed = fmt::format("{}", value);
  return printed.find_first_of(".e") == std::string::npos ? printed + ".0" : printed;
}
std::string text(const std::vector<std::string>& values) {
  return fmt::format("{}", fmt::join(values, ","));
}

constexpr auto kBoolean = config::KeyType::kBoolean;
constexpr auto kString = config::KeyType::kString;
constexpr auto kInt = config::KeyType::kInt;
constexpr auto kLong = config::KeyType::kLong;
constexpr auto kDouble = config::KeyType::kDouble;
constexpr auto kList = config::KeyType::kList;

const ConfigKey kKeys[] = {
    {.name = "cleanup.policy",
     .server_key = "log.cleanup.policy",
     .type = kList,
     .default_value = [](const Defaults& d) { return text(d.cleanup_policy); },
     .documentation = "What happens to old segments: delete drops them by age and size, compact keeps the last record "
                      "of each key. Both may be given; an empty list keeps everything.",
     .allowed = kCleanupPolicies},
    {.name = "cohort.durability",
     .server_key = "cohort.durability",
     .type = kString,
     .default_value = [](const Defaults& d) -> std::string {
       return d.durability == config::Durability::kSync ? "sync" : "os";
     },
     .documentation = "What an acknowledgement with acks=all promises: os, the records survive the death of the "
                      "process; sync, they survive the death of the machine, because the disk was synced first.",
     .allowed = kDurabilities},
    {.name = "compression.gzip.level",
     .server_key = "compression.gzip.level",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.compression_gzip_level}); },
     .documentation = "Accepted for compatibility: records that are compressed again get the codec's default level.",
     .min = -1,
     .max = 9},
    {.name = "compression.lz4.level",
     .server_key = "compression.lz4.level",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.compression_lz4_level}); },
     .documentation = "Accepted for compatibility: records that are compressed again get the codec's default level.",
     .min = 1,
     .max = 17},
    {.name = "compression.type",
     .server_key = "compression.type",
     .type = kString,
     .default_value = [](const Defaults& d) { return d.compression_type; },
     .documentation = "How records are kept: producer leaves them as they came, any other value compresses (or "
                      "unpacks) them before they are appended.",
     .allowed = kCompressionTypes},
    {.name = "compression.zstd.level",
     .server_key = "compression.zstd.level",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.compression_zstd_level}); },
     .documentation = "Accepted for compatibility: records that are compressed again get the codec's default level.",
     .min = -131072,
     .max = 22},
    {.name = "delete.retention.ms",
     .server_key = "log.cleaner.delete.retention.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.delete_retention_ms); },
     .documentation = "How long compaction keeps the tombstone of a deleted key, in milliseconds.",
     .min = 0},
    {.name = "file.delete.delay.ms",
     .server_key = "log.segment.delete.delay.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.file_delete_delay_ms); },
     .documentation = "Accepted for compatibility: files of segments that are gone are removed at once.",
     .min = 0},
    {.name = "flush.messages",
     .server_key = "log.flush.interval.messages",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.flush_messages); },
     .documentation = "The log is synced to disk after this many records. It can only add syncs to those of "
                      "cohort.durability.",
     .min = 1},
    {.name = "flush.ms",
     .server_key = "log.flush.interval.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.flush_ms); },
     .documentation = "A record is synced to disk at most this many milliseconds after it was appended. It can only "
                      "add syncs to those of cohort.durability.",
     .min = 0,
     .server_key_has_default = false},
    {.name = "follower.replication.throttled.replicas",
     .type = kList,
     .default_value = [](const Defaults&) -> std::string { return ""; },
     .documentation = "Accepted for compatibility: one node replicates nothing."},
    {.name = "index.interval.bytes",
     .server_key = "log.index.interval.bytes",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.index_interval_bytes}); },
     .documentation = "Accepted for compatibility: how densely the log is indexed is the log's own affair.",
     .min = 0},
    {.name = "leader.replication.throttled.replicas",
     .type = kList,
     .default_value = [](const Defaults&) -> std::string { return ""; },
     .documentation = "Accepted for compatibility: one node replicates nothing."},
    {.name = "local.retention.bytes",
     .type = kLong,
     .default_value = [](const Defaults&) -> std::string { return "-2"; },
     .documentation = "Accepted for compatibility: there is no tiered storage, all of a log is local.",
     .min = -2},
    {.name = "local.retention.ms",
     .type = kLong,
     .default_value = [](const Defaults&) -> std::string { return "-2"; },
     .documentation = "Accepted for compatibility: there is no tiered storage, all of a log is local.",
     .min = -2},
    {.name = "max.compaction.lag.ms",
     .server_key = "log.cleaner.max.compaction.lag.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.max_compaction_lag_ms); },
     .documentation = "The longest time that a record may stay out of reach of compaction, in milliseconds.",
     .min = 1},
    {.name = "max.message.bytes",
     .server_key = "message.max.bytes",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.max_message_bytes}); },
     .documentation = "The largest record batch that is accepted, in bytes, as it comes from the producer.",
     .min = 0},
    {.name = "message.timestamp.after.max.ms",
     .server_key = "log.message.timestamp.after.max.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.message_timestamp_after_max_ms); },
     .documentation = "How far a record's timestamp may lie in the future, in milliseconds. Only with CreateTime.",
     .min = 0},
    {.name = "message.timestamp.before.max.ms",
     .server_key = "log.message.timestamp.before.max.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.message_timestamp_before_max_ms); },
     .documentation = "How far a record's timestamp may lie in the past, in milliseconds. Only with CreateTime.",
     .min = 0},
    {.name = "message.timestamp.type",
     .server_key = "log.message.timestamp.type",
     .type = kString,
     .default_value = [](const Defaults& d) { return d.message_timestamp_type; },
     .documentation = "Whose time a record carries: the producer's (CreateTime) or that of the append (LogAppendTime).",
     .allowed = kTimestampTypes},
    {.name = "min.cleanable.dirty.ratio",
     .server_key = "log.cleaner.min.cleanable.ratio",
     .type = kDouble,
     .default_value = [](const Defaults& d) { return text(d.min_cleanable_dirty_ratio); },
     .documentation = "The part of a log that must be new since the last compaction before the next one begins.",
     .min = 0,
     .max = 1},
    {.name = "min.compaction.lag.ms",
     .server_key = "log.cleaner.min.compaction.lag.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.min_compaction_lag_ms); },
     .documentation = "The shortest time that a record stays out of reach of compaction, in milliseconds.",
     .min = 0},
    {.name = "min.insync.replicas",
     .server_key = "min.insync.replicas",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.min_insync_replicas}); },
     .documentation = "How many replicas must have a record for acks=all. There is one node: above 1, acks=all fails.",
     .min = 1},
    {.name = "preallocate",
     .server_key = "log.preallocate",
     .type = kBoolean,
     .default_value = [](const Defaults& d) { return text(d.preallocate); },
     .documentation = "Accepted for compatibility: segments grow as they are written."},
    {.name = "remote.log.copy.disable",
     .type = kBoolean,
     .default_value = [](const Defaults&) -> std::string { return "false"; },
     .documentation = "Accepted for compatibility: there is no tiered storage."},
    {.name = "remote.log.delete.on.disable",
     .type = kBoolean,
     .default_value = [](const Defaults&) -> std::string { return "false"; },
     .documentation = "Accepted for compatibility: there is no tiered storage."},
    {.name = "remote.storage.enable",
     .type = kBoolean,
     .default_value = [](const Defaults&) -> std::string { return "false"; },
     .documentation = "There is no tiered storage: only false is accepted.",
     .allowed = kNever},
    {.name = "retention.bytes",
     .server_key = "log.retention.bytes",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.retention_bytes); },
     .documentation = "With cleanup.policy=delete: the size of a partition above which its oldest segments go. "
                      "-1: no limit."},
    {.name = "retention.ms",
     .server_key = "log.retention.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.retention_ms); },
     .documentation = "With cleanup.policy=delete: how long records are kept, in milliseconds. -1: for ever.",
     .min = -1,
     .server_key_has_default = false},
    {.name = "segment.bytes",
     .server_key = "log.segment.bytes",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.segment_bytes}); },
     .documentation = "The size of a segment file. Retention and compaction work on whole segments.",
     .min = 1024 * 1024},
    {.name = "segment.index.bytes",
     .server_key = "log.index.size.max.bytes",
     .type = kInt,
     .default_value = [](const Defaults& d) { return text(std::int64_t{d.segment_index_bytes}); },
     .documentation = "Accepted for compatibility: the size of a segment's index follows from the segment.",
     .min = 4},
    {.name = "segment.jitter.ms",
     .server_key = "log.roll.jitter.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.segment_jitter_ms); },
     .documentation = "Accepted for compatibility: segments begin when segment.ms and segment.bytes say so.",
     .min = 0,
     .server_key_has_default = false},
    {.name = "segment.ms",
     .server_key = "log.roll.ms",
     .type = kLong,
     .default_value = [](const Defaults& d) { return text(d.segment_ms); },
     .documentation = "A new segment begins after this many milliseconds even if the last one is not full.",
     .min = 1,
     .server_key_has_default = false},
    {.name = "unclean.leader.election.enable",
     .server_key = "unclean.leader.election.enable",
     .type = kBoolean,
     .default_value = [](const Defaults& d) { return text(d.unclean_leader_election); },
     .documentation = "Accepted for compatibility: one node elects nobody."},
};

}  // namespace

std::span<const ConfigKey> config_keys() {
  return kKeys;
}

const ConfigKey* find_config_key(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kKeys, name, {}, &ConfigKey::name);
  return found != std::end(kKeys) && found->name == name ? found : nullptr;
}

}  // namespace cohort::topics
