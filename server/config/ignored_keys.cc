// Keys of Apache Kafka's broker that mean nothing here. They are accepted, so that a broker's file works as it is.
#include <algorithm>
#include <array>
#include <string_view>

#include "server/config/key.h"

namespace cohort::config {
namespace {

// Families: a key that starts so.
constexpr std::string_view kPrefixes[] = {
    "alter.log.dirs.replication.",
    "broker.heartbeat.",
    "broker.session.",
    "confluent.",
    "controller.",
    "delegation.token.",
    "group.share.",
    "group.streams.",
    "initial.broker.registration.",
    "kafka.metrics.",
    "leader.imbalance.",
    "listener.name.",
    "log4j.",
    "metadata.",
    "metric",
    "password.encoder.",
    "quota.",
    "remote.",
    "replica.",
    "replication.quota.",
    "rlmm.",
    "sasl.",
    "security.",
    "share.coordinator.",
    "ssl.",
    "telemetry.",
    "transaction.",
    "zookeeper.",
};

constexpr std::string_view kNames[] = {
    "add.partitions.to.txn.retry.backoff.max.ms",
    "add.partitions.to.txn.retry.backoff.ms",
    "alter.config.policy.class.name",
    "authorizer.class.name",
    "auto.include.jmx.reporter",
    "auto.leader.rebalance.enable",
    "background.threads",
    "broker.id.generation.enable",
    "client.quota.callback.class",
    "cluster.id",
    "config.providers",
    "connection.failed.authentication.delay.ms",
    "connections.max.reauth.ms",
    "controlled.shutdown.enable",
    "cordoned.log.dirs",
    "create.topic.policy.class.name",
    "default.replication.factor",
    "delete.records.purgatory.purge.interval.requests",
    "early.start.listeners",
    "fetch.purgatory.purge.interval.requests",
    "follower.fetch.last.tiered.offset.enable",
    "group.coordinator.append.linger.ms",
    "group.coordinator.background.threads",
    "group.coordinator.cached.buffer.max.bytes",
    "group.coordinator.new.enable",
    "group.coordinator.rebalance.protocols",
    "group.coordinator.threads",
    "inter.broker.listener.name",
    "inter.broker.protocol.version",
    "log.cleaner.io.buffer.load.factor",
    "log.cleaner.io.buffer.size",
    "log.cleaner.io.max.bytes.per.second",
    "log.dir.failure.timeout.ms",
    "log.flush.offset.checkpoint.interval.ms",
    "log.flush.start.offset.checkpoint.interval.ms",
    "log.initial.task.delay.ms",
    "log.local.retention.bytes",
    "log.local.retention.ms",
    "log.message.downconversion.enable",
    "log.message.format.version",
    "log.message.timestamp.difference.max.ms",
    "max.connection.creation.rate",
    "max.connections.per.ip.overrides",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.alter.log.dirs.threads",
    "num.replica.fetchers",
    "offsets.commit.required.acks",
    "offsets.commit.timeout.ms",
    "offsets.load.buffer.size",
    "offsets.topic.compression.codec",
    "offsets.topic.replication.factor",
    "principal.builder.class",
    "process.roles",
    "producer.id.expiration.check.interval.ms",
    "producer.purgatory.purge.interval.requests",
    "queued.max.requests",
    "request.timeout.ms",
    "reserved.broker.max.id",
    "server.max.startup.time.ms",
    "share.fetch.purgatory.purge.interval.requests",
    "socket.connection.setup.timeout.max.ms",
    "socket.connection.setup.timeout.ms",
    "transactional.id.expiration.ms",
    "unclean.leader.election.interval.ms",
    "unstable.api.versions.enable",
    "unstable.feature.versions.enable",
};

}  // namespace

bool is_ignored_kafka_key(std::string_view name) {
  return std::ranges::find(kNames, name) != std::ranges::end(kNames) ||
         std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace cohort::config
