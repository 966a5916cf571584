#include "server/config/config.h"

#include <catch2/catch.hpp>

namespace cohort::config {
namespace {

Loaded loaded(std::string text, const std::vector<std::string>& overrides = {}) {
  auto result = load(FileText{"server.properties", std::move(text)}, overrides);
  if (!result) FAIL(result.error().message);
  return *std::move(result);
}

std::string refused(std::string text, const std::vector<std::string>& overrides = {}) {
  auto result = load(FileText{"server.properties", std::move(text)}, overrides);
  return result ? "accepted" : result.error().message;
}

const Setting& setting(const Loaded& from, std::string_view key) {
  for (const Setting& s : from.settings) {
    if (s.key->name == key) return s;
  }
  FAIL("no setting " << key);
  std::abort();
}

TEST_CASE("numbers are Java's: one sign, digits, and nothing else") {
  const Key* key = find_key("log.retention.bytes");
  REQUIRE(key != nullptr);
  CHECK(std::get<std::int64_t>(*parse_value(*key, " +7 ")) == 7);
  CHECK(std::get<std::int64_t>(*parse_value(*key, "-1")) == -1);
  for (const char* text : {"+-1", "--1", "+", "", "1 0", "0x10", "1e3", "9223372036854775808"}) {
    CHECK_FALSE(parse_value(*key, text));
  }
}

TEST_CASE("a migration policy is read whatever the case of its letters, and nothing else is one") {
  const auto policy_of = [](const std::string& text) {
    const auto loaded = load(std::nullopt, {"group.consumer.migration.policy=" + text});
    return loaded ? std::optional(loaded->config.group.consumer_migration_policy) : std::nullopt;
  };
  CHECK(policy_of("UPGRADE") == MigrationPolicy::kUpgrade);
  CHECK(policy_of("Downgrade") == MigrationPolicy::kDowngrade);
  CHECK(policy_of("disabled") == MigrationPolicy::kDisabled);
  CHECK(policy_of("bidirectional") == MigrationPolicy::kBidirectional);
  CHECK_FALSE(policy_of("both"));
}

TEST_CASE("config: the defaults of the table are those of the structs") {
  auto result = load(std::nullopt, {});
  REQUIRE(result.has_value());
  CHECK(result->config == ServerConfig{});
  CHECK(result->warnings.empty());
  CHECK(result->ignored.empty());
}

TEST_CASE("config: each key stands in the table once, with an explanation and a default that fits") {
  std::vector<std::string_view> names;
  for (const Key& key : keys()) {
    INFO(key.name);
    CHECK(std::ranges::find(names, key.name) == names.end());
    names.push_back(key.name);
    CHECK(key.doc.ends_with("."));
    CHECK(find_key(key.name) == &key);
    CHECK_FALSE(is_ignored_kafka_key(key.name));
    if (key.default_text) CHECK(parse_value(key, *key.default_text).has_value());
  }
}

TEST_CASE("config: an override goes before the file, the file before the default") {
  const Loaded l = loaded("num.partitions=3\nmessage.max.bytes=5000\n", {"num.partitions=7"});
  CHECK(l.config.topics.num_partitions == 7);
  CHECK(l.config.topics.max_message_bytes == 5000);
  CHECK(setting(l, "num.partitions").source == Source::kOverride);
  CHECK(setting(l, "message.max.bytes").source == Source::kFile);
  CHECK(setting(l, "node.id").source == Source::kDefault);
  CHECK(setting(l, "node.id").value == "1");
  CHECK_FALSE(setting(l, "log.retention.ms").value.has_value());
}

TEST_CASE("config: the finer of several keys wins, whatever the order in the file") {
  const Loaded l =
      loaded("log.retention.ms=5\nlog.retention.minutes=2\nlog.retention.hours=1\nlog.dirs=/b\nlog.dir=/a\n");
  CHECK(l.config.topics.retention_ms == 5);
  CHECK(l.config.log_dir == "/b");
  CHECK(loaded("log.retention.minutes=2\n").config.topics.retention_ms == 120'000);
  CHECK(loaded("log.retention.hours=-1\n").config.topics.retention_ms == -1);
}

TEST_CASE("config: unknown keys are warned about, Kafka's other keys are not") {
  const Loaded l = loaded("process.roles=broker\ngroup.share.max.size=4\nnum.partitons=1\n", {"nonsense=1"});
  REQUIRE(l.warnings.size() == 2);
  CHECK(l.warnings[0] == "--override: the key nonsense is not known and has no effect");
  CHECK(l.warnings[1] == "server.properties, line 3: the key num.partitons is not known and has no effect");
  CHECK(l.ignored == std::vector<std::string>{"group.share.max.size", "process.roles"});
}

TEST_CASE("config: an error names place, key, value and what is allowed") {
  CHECK(refused("a=1\nnum.partitions=0\n") ==
        "server.properties, line 2: num.partitions=0 is not possible, it must be a whole number from 1 to 2147483647");
  CHECK(refused("", {"num.partitions=many"}) ==
        "--override: num.partitions=many is not possible, it must be a whole number from 1 to 2147483647");
  CHECK(refused("auto.create.topics.enable=yes").ends_with("it must be true or false"));
  CHECK(refused("cohort.durability=never").ends_with("it must be one of os, sync"));
  CHECK(refused("log.cleaner.min.cleanable.ratio=1.5").ends_with("it must be a number from 0 to 1"));
  CHECK(refused("group.consumer.assignors=uniform,sticky")
            .ends_with("it must be a list without repeats of uniform, range"));
  CHECK(
      refused("group.consumer.assignors=range,range").ends_with("it must be a list without repeats of uniform, range"));
  CHECK(refused("log.retention.ms=-2").ends_with("it must be a whole number of at least -1"));
  CHECK(refused("message.max.bytes=99999999999999999999").find("message.max.bytes=9999") != std::string::npos);
  CHECK(refused("log.dirs=/a,/b").find("exactly one folder") != std::string::npos);
  CHECK(refused("=5\n") == "server.properties, line 1: there is no key before \"5\"; write key=value");
  CHECK(refused("a=\\u1\n").starts_with("server.properties, line 1: "));
  CHECK(refused("", {"novalue"}) == "--override novalue: write key=value");
  CHECK(refused("", {"=x"}) == "--override =x: write key=value");
}

TEST_CASE("config: rules between keys") {
  CHECK(refused("group.consumer.session.timeout.ms=30000").find("from group.consumer.min.session.timeout.ms (45000)") !=
        std::string::npos);
  CHECK(refused("group.consumer.max.session.timeout.ms=1000").find("at least group.consumer.min.session") !=
        std::string::npos);
  CHECK(refused("group.consumer.heartbeat.interval.ms=1000").find("from group.consumer.min.heartbeat") !=
        std::string::npos);
  CHECK(refused("group.consumer.max.heartbeat.interval.ms=1000").find("at least group.consumer.min.heartbeat") !=
        std::string::npos);
  CHECK(refused("group.consumer.min.session.timeout.ms=1\ngroup.consumer.session.timeout.ms=5000")
            .find("more than group.consumer.heartbeat.interval.ms (5000)") != std::string::npos);
  CHECK(refused("group.consumer.assignment.interval.ms=20000").find("to group.consumer.max.assignment.interval.ms") !=
        std::string::npos);
  CHECK(refused("group.consumer.max.assignment.interval.ms=1\ngroup.consumer.min.assignment.interval.ms=2")
            .find("at least group.consumer.min.assignment") != std::string::npos);
  CHECK(refused("queued.max.request.bytes=5").find("at least socket.request.max.bytes") != std::string::npos);
  CHECK(refused("group.consumer.min.session.timeout.ms=46000") ==
        "default value: group.consumer.session.timeout.ms=45000 is not possible, it must be from "
        "group.consumer.min.session.timeout.ms (46000) to group.consumer.max.session.timeout.ms (60000)");
}

}  // namespace
}  // namespace cohort::config
