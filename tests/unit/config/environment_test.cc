#include "server/config/environment.h"

#include <catch2/catch.hpp>
#include <vector>

#include "server/config/config.h"

namespace cohort::config {
namespace {

std::string setting(std::string_view entry) {
  const auto found = setting_of_variable(entry);
  return found ? found->key + "=" + found->value : "none";
}

TEST_CASE("environment: names become keys as in Kafka's image") {
  CHECK(setting("KAFKA_LISTENERS=PLAINTEXT://:9092") == "listeners=PLAINTEXT://:9092");
  CHECK(setting("KAFKA_LOG_RETENTION_MS=5") == "log.retention.ms=5");
  CHECK(setting("KAFKA_COHORT_DURABILITY=sync") == "cohort.durability=sync");
  CHECK(setting("KAFKA_A__B=1") == "a_b=1");
  CHECK(setting("KAFKA_A___B=1") == "a-b=1");
  CHECK(setting("KAFKA_A____B=1") == "a-.b=1");
  CHECK(setting("KAFKA_LISTENER_NAME_OUT_SSL_KEY=a=b") == "listener.name.out.ssl.key=a=b");
  CHECK(setting("KAFKA_BROKER_RACK=") == "broker.rack=");
}

TEST_CASE("environment: what steers the JVM and the image is no key") {
  for (const char* entry :
       {"KAFKA_VERSION=4.3.1", "KAFKA_HEAP_OPTS=-Xmx1G", "KAFKA_LOG4J_OPTS=-D", "KAFKA_OPTS=-D", "KAFKA_JMX_OPTS=-D",
        "KAFKA_JVM_PERFORMANCE_OPTS=-X", "KAFKA_GC_LOG_OPTS=-X", "KAFKA_TOOLS_LOG4J_LOGLEVEL=WARN",
        "KAFKA_JMX_HOSTNAME=h", "KAFKA_JMX_PORT=9999", "PATH=/bin", "KAFKA_=1", "KAFKA_NOTHING",
        "CLUSTER_ID=", "KAFKA_LOG4J_ROOT_LOGLEVEL=", "JAVA_HOME=/j", "kafka_listeners=x", "CONFLUENT_HOME=/c"}) {
    INFO(entry);
    CHECK(setting(entry) == "none");
  }
  CHECK(setting("CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qk") == "cohort.cluster.id=MkU3OEVBNTcwNTJENDM2Qk");
  CHECK(setting("KAFKA_LOG4J_ROOT_LOGLEVEL=warn") == "cohort.log.level=warn");
  CHECK(setting("KAFKA_LOG4J_LOGGERS=kafka=WARN") == "cohort.log.levels=kafka=WARN");
}

Result<Loaded> with(const std::vector<std::string>& environment, const std::vector<std::string>& overrides = {}) {
  return load(FileText{"server.properties", "num.partitions=3\nmessage.max.bytes=5000\nmin.insync.replicas=1\n"},
              overrides, environment);
}

TEST_CASE("environment: goes before the file, and overrides before it") {
  const auto loaded = with({"KAFKA_NUM_PARTITIONS=4", "KAFKA_MESSAGE_MAX_BYTES=6000"}, {"num.partitions=7"});
  REQUIRE(loaded.has_value());
  CHECK(loaded->config.topics.num_partitions == 7);
  CHECK(loaded->config.topics.max_message_bytes == 6000);
  for (const Setting& s : loaded->settings) {
    if (s.key->name == "num.partitions") CHECK(s.source == Source::kOverride);
    if (s.key->name == "message.max.bytes") CHECK(s.source == Source::kEnvironment);
    if (s.key->name == "min.insync.replicas") CHECK(s.source == Source::kFile);
  }
}

TEST_CASE("environment: a wrong value and an unknown key name the variable") {
  const auto wrong = with({"KAFKA_NUM_PARTITIONS=none"});
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().message ==
        "the variable KAFKA_NUM_PARTITIONS: num.partitions=none is not possible, it must be a whole number from 1 to "
        "2147483647");
  const auto unknown = with({"KAFKA_PORT=tcp://10.0.0.1:9092"});
  REQUIRE(unknown.has_value());
  CHECK(unknown->warnings ==
        std::vector<std::string>{"the variable KAFKA_PORT: the key port is not known and has no effect"});
}

// The one-node examples of Kafka's image (docker/examples) and of Confluent's cp-kafka, as their variables.
TEST_CASE("environment: compose files of Kafka's images work as they are") {
  const auto apache =
      load(std::nullopt, {},
           {"KAFKA_NODE_ID=1", "KAFKA_PROCESS_ROLES=broker,controller",
            ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
             "PLAINTEXT_HOST:PLAINTEXT"),
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT_HOST://localhost:9092,PLAINTEXT://broker:19092",
            "KAFKA_LISTENERS=CONTROLLER://:29093,PLAINTEXT_HOST://:9092,PLAINTEXT://:19092",
            "KAFKA_CONTROLLER_QUORUM_VOTERS=1@broker:29093", "KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT",
            "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER", "CLUSTER_ID=4L6g3nShT-eMCtK--X86sw",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1", "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=0",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1", "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR=1",
            "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR=1", "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR=1",
            "KAFKA_LOG_DIRS=/tmp/kraft-combined-logs"});
  if (!apache) FAIL(apache.error().message);
  CHECK(apache->warnings.empty());
  CHECK(apache->config.net.listeners == std::vector<Listener>{{"PLAINTEXT_HOST", "", 9092}, {"PLAINTEXT", "", 19092}});
  CHECK(apache->config.net.advertised ==
        std::vector<Listener>{{"PLAINTEXT_HOST", "localhost", 9092}, {"PLAINTEXT", "broker", 19092}});
  CHECK(apache->config.cluster_id == "4L6g3nShT-eMCtK--X86sw");
  CHECK(apache->config.log_dir == "/tmp/kraft-combined-logs");

  const auto confluent =
      load(std::nullopt, {},
           {"KAFKA_NODE_ID=1",
            ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
             "PLAINTEXT_HOST:PLAINTEXT"),
            "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1", "KAFKA_JMX_PORT=9101", "KAFKA_JMX_HOSTNAME=localhost",
            "KAFKA_PROCESS_ROLES=broker,controller", "KAFKA_CONTROLLER_QUORUM_VOTERS=1@broker:29093",
            "KAFKA_LISTENERS=PLAINTEXT://broker:29092,CONTROLLER://broker:29093,PLAINTEXT_HOST://0.0.0.0:9092",
            "KAFKA_INTER_BROKER_LISTENER_NAME=PLAINTEXT", "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
            "KAFKA_LOG_DIRS=/tmp/kraft-combined-logs", "CLUSTER_ID=MkU3OEVBNTcwNTJENDM2Qk",
            "KAFKA_CONFLUENT_LICENSE_TOPIC_REPLICATION_FACTOR=1", "KAFKA_CONFLUENT_BALANCER_TOPIC_REPLICATION_FACTOR=1",
            "KAFKA_METRIC_REPORTERS=io.confluent.metrics.reporter.ConfluentMetricsReporter",
            "KAFKA_LOG4J_LOGGERS=kafka.controller=INFO, kafka.producer.async.DefaultEventHandler = INFO",
            "KAFKA_LOG4J_ROOT_LOGLEVEL=INFO", "KAFKA_HEAP_OPTS=-Xmx1G"});
  if (!confluent) FAIL(confluent.error().message);
  CHECK(confluent->warnings.empty());
  CHECK(confluent->config.net.listeners ==
        std::vector<Listener>{{"PLAINTEXT", "broker", 29092}, {"PLAINTEXT_HOST", "0.0.0.0", 9092}});
  CHECK(confluent->config.log.levels.size() == 2);
}

TEST_CASE("log levels: of all and of components") {
  const auto loaded = with({"KAFKA_LOG4J_ROOT_LOGLEVEL=warn", "KAFKA_LOG4J_LOGGERS=Connection=DEBUG"});
  REQUIRE(loaded.has_value());
  CHECK(loaded->config.log.level == log::Level::kWarn);
  CHECK(loaded->config.log.levels ==
        std::vector<std::pair<std::string, log::Level>>{{"Connection", log::Level::kDebug}});
  CHECK(
      with({"KAFKA_LOG4J_ROOT_LOGLEVEL=LOUD"}).error().message ==
      "the variable KAFKA_LOG4J_ROOT_LOGLEVEL: cohort.log.level=LOUD is not possible, it must be one of TRACE, DEBUG, "
      "INFO, WARN, ERROR, FATAL, OFF");
  CHECK_FALSE(with({}, {"cohort.log.levels=Connection"}).has_value());
  CHECK_FALSE(with({}, {"cohort.log.levels==INFO"}).has_value());
  CHECK_FALSE(with({}, {"cohort.cluster.id=a b"}).has_value());
}

}  // namespace
}  // namespace cohort::config
