"""The tour's steps with the cluster, its topics and their configuration."""
from __future__ import annotations

from kafka_tools_host import Result, pattern
from kafka_tools_tour import Step, Tour, check

# Kafka's answer to an ApiVersions request of its own tools, for the APIs that these tools need.
APIS = """
Produce(0): 0 to 13 [usable: 13], | Fetch(1): 4 to 18 [usable: 18], | ListOffsets(2): 1 to 11 [usable: 11],
Metadata(3): 0 to 13 [usable: 13], | OffsetCommit(8): 2 to 10 [usable: 10], | OffsetFetch(9): 1 to 10 [usable: 10],
FindCoordinator(10): 0 to 6 [usable: 6], | DescribeGroups(15): 0 to 6 [usable: 6], | ListGroups(16): 0 to 5 [usable: 5],
ApiVersions(18): 0 to 4 [usable: 4], | CreateTopics(19): 2 to 7 [usable: 7], | DeleteTopics(20): 1 to 6 [usable: 6],
DeleteRecords(21): 0 to 2 [usable: 2], | InitProducerId(22): 0 to 5 [usable: 5],
OffsetForLeaderEpoch(23): 2 to 4 [usable: 4], | DescribeConfigs(32): 1 to 4 [usable: 4],
AlterConfigs(33): 0 to 2 [usable: 2], | DescribeLogDirs(35): 1 to 5 [usable: 5],
CreatePartitions(37): 0 to 3 [usable: 3], | DeleteGroups(42): 0 to 2 [usable: 2],
IncrementalAlterConfigs(44): 0 to 1 [usable: 1], | OffsetDelete(47): 0 [usable: 0],
DescribeCluster(60): 0 to 2 [usable: 2], | DescribeProducers(61): 0 [usable: 0],
ConsumerGroupHeartbeat(68): 0 to 1 [usable: 1], | ConsumerGroupDescribe(69): 0 to 1 [usable: 1],
ListConfigResources(74): 0 to 1 [usable: 1], | DescribeTopicPartitions(75): 0 [usable: 0],
"""
UNUSUAL_NAME = ("WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could "
                "collide. To avoid issues it is best to use either, but not both.")


def cluster(tour: Tour) -> None:
    meta = dict(line.split("=", 1) for line in (tour.data / "meta.properties").read_text().splitlines() if "=" in line)
    tour.tools.run_as_given("cluster", "cluster-id", "--bootstrap-server", tour.tools.address).prints(
        f"Cluster ID: {meta['cluster.id']}")
    host, port = tour.tools.address.split(":")
    tour.tools.run_as_given("cluster", "list-endpoints", "--bootstrap-server", tour.tools.address).prints(
        "ID HOST PORT RACK STATE ENDPOINT_TYPE", f"1 {host} {port} null unfenced broker")
    tour.run("broker-api-versions").has(f"{tour.tools.address} (id: 1 rack: null isFenced: false) -> (",
                                        *(api.strip() for api in APIS.replace("\n", "|").split("|") if api.strip()))
    tour.run("features", "describe").has(pattern("Feature: group.version SupportedMinVersion: 0 SupportedMaxVersion: 1 "
                                                 "FinalizedVersionLevel: 1 Epoch: <n>"),
                                         pattern("Feature: metadata.version SupportedMinVersion: 3.3-IV3 "
                                                 "SupportedMaxVersion: 4.3-IV0 FinalizedVersionLevel: 4.3-IV0 "
                                                 "Epoch: <n>"))


def nothing_to_describe(tour: Tour) -> None:
    """Security, quotas, moving partitions: as a broker says it that has none; the quorum is this node."""
    tour.run("acls", "--list").fails_with("No Authorizer is configured on the broker")
    tour.run("reassign-partitions", "--list").prints("No partition reassignments found.")
    for entities in ("clients", "users", "ips"):
        tour.run("configs", "--describe", "--entity-type", entities).prints()
    tour.run("metadata-quorum", "describe", "--status").has(
        "LeaderId: 1", "MaxFollowerLag: 0", "CurrentObservers: []")
    tour.run("metadata-quorum", "describe", "--replication").has(pattern("1 <id> <n> 0 <n> <n> Leader"))


def not_served(tour: Tour) -> None:
    """Tools for what a server of one node does not have end at once and say what it lacks."""
    calls = {"ELECT_LEADERS": ("leader-election", "--election-type", "preferred", "--all-topic-partitions"),
             "DESCRIBE_DELEGATION_TOKEN": ("delegation-tokens", "--describe", "--command-config",
                                           tour.file("empty.properties", "")),
             "LIST_TRANSACTIONS": ("transactions", "list"),
             "UPDATE_FEATURES": ("features", "upgrade", "--feature", "group.version=1")}
    for api, call in calls.items() if not tour.reference else ():
        tour.run(*call).fails_with(f"The node does not support {api}")


def create(tour: Tour) -> None:
    made = ("--create", "--topic", "tour-a", "--partitions", "3", "--replication-factor", "1",
            "--config", "retention.ms=1000000", "--config", "cleanup.policy=compact")
    tour.run("topics", *made).prints("Created topic tour-a.")
    tour.run("topics", *made).fails_with("Topic 'tour-a' already exists.")
    tour.run("topics", *made, "--if-not-exists").prints()
    tour.run("topics", "--create", "--topic", "tour.b").prints(UNUSUAL_NAME, "Created topic tour.b.")
    tour.run("topics", "--create", "--topic", "tour_b").fails_with(
        "Topic 'tour_b' collides with existing topic: tour.b")
    tour.run("topics", "--create", "--topic", "tour-c", "--replica-assignment", "1,1,1").prints("Created topic tour-c.")

    tour.run("topics", "--create", "--topic", "bad name").fails_with("Topic name is invalid: 'bad name'")
    refused = ("--create", "--topic", "tour-refused")
    tour.run("topics", *refused, "--config", "no.such=1").fails_with("Unknown topic config name: no.such")
    tour.run("topics", *refused, "--config", "retention.ms=x").fails_with(
        "Invalid value x for configuration retention.ms: Not a number of type LONG")
    tour.run("topics", *refused, "--replication-factor", "2").fails_with(
        "The target replication factor of 2 cannot be reached because only 1 broker(s) are registered")
    tour.run("topics", *refused, "--replica-assignment", "2").fails_with(
        "The manual partition assignment")
    tour.run("topics", *refused, "--partitions", "0").fails_with(
        "The partitions must be greater than 0")


def list_topics(tour: Tour) -> None:
    ours = ("tour-a", "tour-c", "tour.b")
    tour.run("topics", "--list", "--exclude-internal").prints(*ours)
    tour.run("topics", "--list", "--topic", "tour-.*").prints("tour-a", "tour-c")
    tour.run("topics", "--list", "--topic", "tour-.*", "--exclude-internal").prints("tour-a", "tour-c")
    tour.run("topics", "--list", "--topic", "none").prints()
    tour.run("topics", "--list").has(*ours, *tour.cohort_only("__consumer_offsets"))


def topic_line(tour: Tour, name: str, partitions: int, configs: str):
    """Apache Kafka sets min.insync.replicas=1 for the cluster, a part of its eligible leader replicas."""
    if tour.reference:
        configs = ",".join(filter(None, ["min.insync.replicas=1", configs]))
    return pattern(f"Topic: {name} TopicId: <id> PartitionCount: {partitions} ReplicationFactor: 1 "
                   f"Configs: {configs}".rstrip())


def partition_lines(name: str, partitions: int) -> list[str]:
    return [f"Topic: {name} Partition: {p} Leader: 1 Replicas: 1 Isr: 1 Elr: LastKnownElr:" for p in range(partitions)]


def describe(tour: Tour) -> None:
    first = [topic_line(tour, "tour-a", 3, "cleanup.policy=compact,retention.ms=1000000"),
             *partition_lines("tour-a", 3)]
    shown = tour.run("topics", "--describe", "--topic", "tour-a").prints(*first)
    tour.run("topics", "--describe", "--topic", "tour-a", "--partition-size-limit-per-response", "1").prints(*first)
    topic_id = shown.lines()[0].split()[3]
    tour.run("topics", "--describe", "--topic-id", topic_id).prints(
        first[0], *(line.replace("Elr:", "Elr: N/A") for line in first[1:]))
    tour.run("topics", "--describe", "--topic-id", "AAAAAAAAAAAAAAAAAAAAAQ").fails_with(
        "TopicId 'AAAAAAAAAAAAAAAAAAAAAQ' does not exist as expected")
    tour.run("topics", "--describe", "--topic", "none").fails_with("Topic 'none' does not exist as expected")
    tour.run("topics", "--describe", "--topic", "none", "--if-exists").prints()
    all_lines = [*first, topic_line(tour, "tour.b", 1, ""), *partition_lines("tour.b", 1),
                 topic_line(tour, "tour-c", 3, ""), *partition_lines("tour-c", 3)]
    tour.run("topics", "--describe", "--exclude-internal").prints(*all_lines, in_order=False)
    tour.run("topics", "--describe", "--topic", "tour.*").prints(*all_lines, in_order=False)
    for none in ("--under-replicated-partitions", "--unavailable-partitions", "--under-min-isr-partitions"):
        tour.run("topics", "--describe", none).prints()
    tour.run("topics", "--describe", "--at-min-isr-partitions", "--exclude-internal").prints(
        *partition_lines("tour-a", 3), *partition_lines("tour.b", 1), *partition_lines("tour-c", 3), in_order=False)
    overrides = [first[0]] if not tour.reference else [l for l in all_lines if not isinstance(l, str)]
    tour.run("topics", "--describe", "--topics-with-overrides", "--exclude-internal").prints(*overrides, in_order=False)


def grow_and_delete(tour: Tour) -> None:
    tour.run("topics", "--alter", "--topic", "tour-c", "--partitions", "5").prints()
    tour.run("topics", "--alter", "--topic", "tour-c", "--partitions", "6", "--replica-assignment",
             "1,1,1,1,1,1").prints()
    tour.run("topics", "--describe", "--topic", "tour-c").prints(topic_line(tour, "tour-c", 6, ""),
                                                                 *partition_lines("tour-c", 6))
    tour.run("topics", "--alter", "--topic", "tour-c", "--partitions", "2").fails_with(
        "The topic tour-c currently has 6 partition(s); 2 would not be an increase.")
    tour.run("topics", "--alter", "--topic", "none", "--partitions", "2").fails_with(
        "Topic 'none' does not exist as expected")
    tour.run("topics", "--alter", "--topic", "none", "--partitions", "2", "--if-exists").prints()

    tour.run("topics", "--delete", "--topic", "none").fails_with("Topic 'none' does not exist as expected")
    tour.run("topics", "--delete", "--topic", "none", "--if-exists").prints()
    tour.run("topics", "--delete", "--topic", "tour.*").prints()
    tour.run("topics", "--list", "--exclude-internal").prints()
    tour.run("topics", "--describe", "--topic", "tour-a").fails_with("Topic 'tour-a' does not exist as expected")


# ------------------------------------------------------------------------------------------------------------- configs

POLICY = ("cleanup.policy={0} sensitive=false synonyms={{DYNAMIC_TOPIC_CONFIG:cleanup.policy={0}, "
          "DEFAULT_CONFIG:log.cleanup.policy=delete}}")
SEGMENT = ("segment.bytes=2000000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:segment.bytes=2000000, "
           "DEFAULT_CONFIG:log.segment.bytes=1073741824}")
MESSAGE = ("max.message.bytes=2000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000, "
           "DEFAULT_CONFIG:message.max.bytes=1048588}")
CHANGED = "Completed updating config for topic conf."
# A topic's other settings, as Apache Kafka shows them: "key=value" with the broker's key and value as source.
DEFAULTS = """
compression.gzip.level=-1 compression.gzip.level
compression.lz4.level=9 compression.lz4.level
compression.type=producer compression.type
compression.zstd.level=3 compression.zstd.level
delete.retention.ms=86400000 log.cleaner.delete.retention.ms
file.delete.delay.ms=60000 log.segment.delete.delay.ms
flush.messages=9223372036854775807 log.flush.interval.messages
flush.ms=9223372036854775807
index.interval.bytes=4096 log.index.interval.bytes
max.compaction.lag.ms=9223372036854775807 log.cleaner.max.compaction.lag.ms
message.timestamp.after.max.ms=3600000 log.message.timestamp.after.max.ms
message.timestamp.before.max.ms=9223372036854775807 log.message.timestamp.before.max.ms
message.timestamp.type=CreateTime log.message.timestamp.type
min.cleanable.dirty.ratio=0.5 log.cleaner.min.cleanable.ratio
min.compaction.lag.ms=0 log.cleaner.min.compaction.lag.ms
preallocate=false log.preallocate
retention.bytes=-1 log.retention.bytes
segment.bytes=1073741824 log.segment.bytes
segment.index.bytes=10485760 log.index.size.max.bytes
segment.jitter.ms=0
segment.ms=604800000
unclean.leader.election.enable=false unclean.leader.election.enable
"""


def retention(value: int) -> str:
    return f"retention.ms={value} sensitive=false synonyms={{DYNAMIC_TOPIC_CONFIG:retention.ms={value}}}"


def default_lines() -> list[str]:
    lines = []
    for setting, _blank, source in (line.partition(" ") for line in DEFAULTS.split("\n") if line):
        synonyms = f"DEFAULT_CONFIG:{source}={setting.partition('=')[2]}" if source else ""
        lines.append(f"{setting} sensitive=false synonyms={{{synonyms}}}")
    return lines


def topic_configs(tour: Tour) -> None:
    def alter(*arguments: str) -> Result:
        return tour.run("configs", "--alter", "--topic", "conf", *arguments)

    tour.run("topics", "--create", "--topic", "conf").prints("Created topic conf.")
    tour.run("configs", "--describe", "--topic", "conf").prints("Dynamic configs for topic conf are:")
    tour.run("configs", "--alter", "--entity-type", "topics", "--entity-name", "conf", "--add-config",
             "retention.ms=5000000,cleanup.policy=[compact,delete],segment.bytes=2000000").prints(CHANGED)
    tour.run("configs", "--describe", "--topic", "conf").prints(
        "Dynamic configs for topic conf are:", POLICY.format("compact,delete"), retention(5000000), SEGMENT)
    alter("--add-config", "retention.ms=6000000", "--delete-config", "segment.bytes").prints(CHANGED)
    alter("--delete-config", "segment.bytes").prints(CHANGED)
    alter("--add-config-file", tour.file("add.properties", "max.message.bytes=2000\n")).prints(CHANGED)
    tour.run("configs", "--describe", "--topic", "conf", "--all").has(
        "All configs for topic conf are:", POLICY.format("compact,delete"), retention(6000000), MESSAGE,
        *default_lines())

    alter("--add-config", "no.such=1").fails_with("InvalidConfigurationException: Unknown topic config name: no.such")
    alter("--add-config", "retention.ms=abc").fails_with(
        "Invalid value abc for configuration retention.ms: Not a number of type LONG")
    alter("--add-config", "segment.bytes=1").fails_with(
        "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576")
    alter("--add-config", "cleanup.policy=x").fails_with("Invalid value x for configuration cleanup.policy")
    tour.run("configs", "--alter", "--topic", "none", "--add-config", "retention.ms=1").fails_with(
        "UnknownTopicOrPartitionException: The topic 'none' does not exist.")
    tour.run("configs", "--describe", "--topic", "none").prints(
        "The topic 'none' doesn't exist and doesn't have dynamic config.")
    tour.run("configs", "--describe", "--entity-type", "topics").has(
        "Dynamic configs for topic conf are:", POLICY.format("compact,delete"), MESSAGE, retention(6000000))
    tour.run("topics", "--delete", "--topic", "conf").prints()


def broker_configs(tour: Tour) -> None:
    tour.run("configs", "--describe", "--broker", "1").prints("Dynamic configs for broker 1 are:")
    tour.run("configs", "--describe", "--broker", "1", "--all").has(
        "All configs for broker 1 are:", "node.id=1 sensitive=false synonyms={STATIC_BROKER_CONFIG:node.id=1}",
        pattern(f"listeners=PLAINTEXT://{tour.tools.address}<any> sensitive=false "
                "synonyms={STATIC_BROKER_CONFIG:<any>"),
        "auto.create.topics.enable=true sensitive=false synonyms={DEFAULT_CONFIG:auto.create.topics.enable=true}",
        "log.cleanup.policy=delete sensitive=false synonyms={DEFAULT_CONFIG:log.cleanup.policy=delete}",
        "log.retention.ms=null sensitive=false synonyms={}",
        "group.consumer.session.timeout.ms=45000 sensitive=false "
        "synonyms={DEFAULT_CONFIG:group.consumer.session.timeout.ms=45000}")
    tour.run("configs", "--describe", "--broker-defaults").has("Default configs for brokers in the cluster are:")
    if not tour.reference:
        tour.run("configs", "--alter", "--broker", "1", "--add-config", "log.cleaner.threads=2").fails_with(
            "InvalidRequestException: The keys of the server cannot be changed at run time")


def broker_loggers(tour: Tour) -> None:
    def level(name: str) -> str:
        return f"root={name} sensitive=false synonyms={{}}"

    def alter(*arguments: str) -> Result:
        return tour.run("configs", "--alter", "--broker-logger", "1", *arguments)

    shown = tour.run("configs", "--describe", "--broker-logger", "1").has(
        "Dynamic configs for broker-logger 1 are:", pattern(level("<word>")))
    before = next(line for line in shown.lines() if line.startswith("root=")).split()[0].partition("=")[2]
    alter("--add-config", "root=WARN").prints("Completed updating config for broker-logger 1.")
    tour.run("configs", "--describe", "--entity-type", "broker-loggers", "--entity-name", "1").has(level("WARN"))
    alter("--add-config", f"root={before}").prints("Completed updating config for broker-logger 1.")
    tour.run("configs", "--describe", "--broker-logger", "1").has(level(before))
    alter("--add-config", "no.such=DEBUG").fails_with("Invalid broker logger(s): no.such")
    alter("--add-config", "root=LOUD").fails_with("InvalidConfigurationException: Cannot set the log level of root to "
                                                  "LOUD as it is not a supported log level.")
    alter("--delete-config", "root").fails_with("InvalidRequestException: Removing the log level of the root logger is "
                                                "not allowed")


def group_configs(tour: Tour) -> None:
    def alter(*arguments: str) -> Result:
        return tour.run("configs", "--alter", "--group", "conf-group", *arguments)

    def line(key: str, value: int, default: int) -> str:
        return (f"{key}={value} sensitive=false synonyms={{DYNAMIC_GROUP_CONFIG:{key}={value}, "
                f"DEFAULT_CONFIG:group.{key}={default}}}")

    mine = [line("consumer.heartbeat.interval.ms", 6000, 5000), line("consumer.session.timeout.ms", 50000, 45000)]
    changed = "Completed updating config for group conf-group."
    alter("--add-config", "consumer.session.timeout.ms=50000,consumer.heartbeat.interval.ms=6000").prints(changed)
    tour.run("configs", "--describe", "--group", "conf-group").prints(
        "Dynamic configs for group conf-group are:", *mine)
    tour.run("configs", "--describe", "--group", "conf-group", "--all").has(
        "All configs for group conf-group are:", *mine, "consumer.assignment.interval.ms=1000 sensitive=false "
        "synonyms={DEFAULT_CONFIG:group.consumer.assignment.interval.ms=1000}")
    tour.run("configs", "--describe", "--entity-type", "groups").has(
        "Dynamic configs for group conf-group are:", *mine)
    alter("--add-config", "consumer.session.timeout.ms=1").fails_with(
        "InvalidConfigurationException: consumer.session.timeout.ms")
    alter("--add-config", "no.such=1").fails_with("InvalidConfigurationException: Unknown group config name: no.such")
    alter("--delete-config", "consumer.session.timeout.ms,consumer.heartbeat.interval.ms").prints(changed)
    tour.run("configs", "--describe", "--group", "conf-group").prints(
        "The group 'conf-group' doesn't exist and doesn't have dynamic config.")
    check("conf-group" not in tour.run("configs", "--describe", "--entity-type", "groups").out,
          "a group without settings is still listed among those that have some")


STEPS: list[Step] = [cluster, nothing_to_describe, not_served, create, list_topics, describe, grow_and_delete, topic_configs,
                     broker_configs, broker_loggers, group_configs]
