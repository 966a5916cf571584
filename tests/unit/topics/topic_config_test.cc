#include "server/topics/topic_config.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "server/topics/topic_config_keys.h"
#include "server/topics/topic_name.h"

namespace cohort::topics {
namespace {

using protocol::ErrorCode;

const config::TopicDefaults kDefaults;

bool is_valid(std::string key, std::string value) {
  return check_overrides({{key, value}}, kDefaults).has_value();
}

TEST_CASE("topic names follow Kafka's rules") {
  CHECK_FALSE(why_invalid_name("a.b_c-D9"));
  CHECK_FALSE(why_invalid_name(std::string(249, 'x')));
  CHECK(why_invalid_name(std::string(250, 'x')));
  CHECK(why_invalid_name(""));
  CHECK(why_invalid_name("."));
  CHECK(why_invalid_name(".."));
  CHECK(why_invalid_name("a b"));
  CHECK(why_invalid_name("\xc3\xa4"));
  CHECK(unify_collision_chars("a.b_c") == "a_b_c");
}

TEST_CASE("the table of keys is sorted, and every default is valid") {
  CHECK(std::ranges::is_sorted(config_keys(), {}, &ConfigKey::name));
  for (const ConfigKey& key : config_keys()) {
    INFO(key.name);
    CHECK(find_config_key(key.name) == &key);
    CHECK(is_valid(std::string(key.name), key.default_value(kDefaults)));
    CHECK_FALSE(key.documentation.empty());
  }
  CHECK(find_config_key("retention") == nullptr);
}

TEST_CASE("values are checked by type and range") {
  CHECK(is_valid("retention.ms", "-1"));
  CHECK(is_valid("retention.ms", " 5 "));
  CHECK_FALSE(is_valid("retention.ms", "-2"));
  CHECK_FALSE(is_valid("retention.ms", "5m"));
  CHECK_FALSE(is_valid("retention.ms", "9223372036854775808"));
  CHECK_FALSE(is_valid("segment.bytes", "1048575"));
  CHECK_FALSE(is_valid("segment.bytes", "2147483648"));
  CHECK(is_valid("cleanup.policy", "compact, delete"));
  CHECK(is_valid("cleanup.policy", ""));
  CHECK(is_valid("cleanup.policy", "compact,compact"));
  CHECK(is_valid("remote.storage.enable", " FALSE"));
  CHECK_FALSE(is_valid("remote.storage.enable", "true"));
  CHECK(is_valid("leader.replication.throttled.replicas", "*"));
  CHECK_FALSE(is_valid("local.retention.ms", "-3"));
  CHECK_FALSE(is_valid("cleanup.policy", "compact,"));
  CHECK_FALSE(is_valid("cleanup.policy", "drop"));
  CHECK(is_valid("preallocate", "TRUE"));
  CHECK_FALSE(is_valid("preallocate", "yes"));
  CHECK_FALSE(is_valid("min.cleanable.dirty.ratio", "1.1"));
  CHECK_FALSE(is_valid("compression.gzip.level", "0"));
  CHECK_FALSE(is_valid("message.timestamp.type", "Now"));
  const auto unknown = check_overrides({{"nonsense", "1"}}, kDefaults);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().message == "Unknown topic config name: nonsense");
  const auto type = check_overrides({{"retention.ms", "abc"}}, kDefaults);
  REQUIRE_FALSE(type);
  CHECK(type.error().message == "Invalid value abc for configuration retention.ms: Not a number of type LONG");
  CHECK_FALSE(check_overrides({{"min.compaction.lag.ms", "10"}, {"max.compaction.lag.ms", "9"}}, kDefaults));
}

TEST_CASE("overrides resolve to typed values; what cannot be used any more falls back") {
  const TopicConfig config = resolve_config({{"retention.ms", "77"},
                                             {"cleanup.policy", "compact"},
                                             {"message.timestamp.type", "LogAppendTime"},
                                             {"compression.type", "uncompressed"},
                                             {"cohort.durability", "sync"},
                                             {"segment.bytes", "12"}},
                                            kDefaults);
  CHECK(config.retention_ms == 77);
  CHECK(config.clean_by_compact);
  CHECK_FALSE(config.clean_by_delete);
  CHECK(config.timestamp_type == protocol::TimestampType::kLogAppendTime);
  CHECK(config.compression == protocol::Compression::kNone);
  CHECK(config.durability == config::Durability::kSync);
  CHECK(config.segment_bytes == kDefaults.segment_bytes);
  CHECK(config.max_message_bytes == 1024 * 1024 + 12);
  CHECK_FALSE(resolve_config({}, kDefaults).compression);
}

TEST_CASE("incremental changes") {
  ConfigOverrides overrides{{"retention.ms", "1"}};
  SECTION("set and delete") {
    CHECK_FALSE(apply_changes(overrides, {{"retention.ms", ConfigOp::kDelete, {}}, {"segment.ms", ConfigOp::kSet, "5"}},
                              kDefaults));
    CHECK(overrides == ConfigOverrides{{"segment.ms", "5"}});
  }
  SECTION("append begins with the default, subtract takes away") {
    CHECK_FALSE(apply_changes(overrides, {{"cleanup.policy", ConfigOp::kAppend, "compact"}}, kDefaults));
    CHECK(overrides["cleanup.policy"] == "delete,compact");
    CHECK_FALSE(apply_changes(overrides, {{"cleanup.policy", ConfigOp::kAppend, "compact"}}, kDefaults));
    CHECK(overrides["cleanup.policy"] == "delete,compact");
    CHECK_FALSE(apply_changes(overrides, {{"cleanup.policy", ConfigOp::kSubtract, "delete"}}, kDefaults));
    CHECK(overrides["cleanup.policy"] == "compact");
  }
  SECTION("refusals") {
    const auto not_a_list = apply_changes(overrides, {{"retention.ms", ConfigOp::kAppend, "1"}}, kDefaults);
    REQUIRE(not_a_list);
    CHECK(not_a_list->error == ErrorCode::kInvalidConfig);
    const auto twice = apply_changes(
        overrides, {{"retention.ms", ConfigOp::kSet, "1"}, {"retention.ms", ConfigOp::kSet, "2"}}, kDefaults);
    REQUIRE(twice);
    CHECK(twice->error == ErrorCode::kInvalidRequest);
    const auto null = apply_changes(overrides, {{"retention.ms", ConfigOp::kSet, {}}}, kDefaults);
    REQUIRE(null);
    CHECK(null->error == ErrorCode::kInvalidRequest);
    const auto unknown = apply_changes(overrides, {{"retention.ms", static_cast<ConfigOp>(9), "1"}}, kDefaults);
    REQUIRE(unknown);
    CHECK(unknown->error == ErrorCode::kInvalidRequest);
  }
}

DescribedConfig described(const ConfigOverrides& overrides, const config::TopicDefaults& defaults,
                          std::string_view name) {
  const auto all = describe_config(overrides, defaults);
  const auto found = std::ranges::find(all, name, &DescribedConfig::name);
  REQUIRE(found != all.end());
  return *found;
}

TEST_CASE("describing names the source of a value and its synonyms") {
  config::TopicDefaults defaults;
  defaults.retention_ms = 5;
  const auto own = described({{"retention.ms", " 007"}}, defaults, "retention.ms");
  CHECK(own.value == "7");
  CHECK(own.source == ConfigSource::kTopic);
  CHECK(own.type == config::KeyType::kLong);
  REQUIRE(own.synonyms.size() == 2);
  CHECK(own.synonyms[1].name == "log.retention.ms");
  CHECK(own.synonyms[1].value == "5");
  CHECK(own.synonyms[1].source == ConfigSource::kStaticBroker);

  const auto of_server = described({}, defaults, "retention.bytes");
  REQUIRE(of_server.synonyms.size() == 1);
  CHECK(of_server.synonyms[0].name == "log.retention.bytes");
  CHECK(of_server.synonyms[0].source == ConfigSource::kDefault);
  // log.roll.ms has no default in Kafka (log.roll.hours has one), so nothing stands behind the value.
  const auto segment_ms = described({}, defaults, "segment.ms");
  CHECK(segment_ms.value == "604800000");
  CHECK(segment_ms.source == ConfigSource::kDefault);
  CHECK(segment_ms.synonyms.empty());

  CHECK(described({{"cleanup.policy", "compact,compact"}}, kDefaults, "cleanup.policy").value == "compact");
  // Nothing stands behind a key that the server has not.
  CHECK(described({}, kDefaults, "local.retention.ms").value == "-2");
  CHECK(described({}, kDefaults, "local.retention.ms").synonyms.empty());

  const auto all = describe_config({}, kDefaults);
  CHECK(all.size() == config_keys().size());
  CHECK(std::ranges::all_of(all, [](const auto& config) { return config.source == ConfigSource::kDefault; }));
}

}  // namespace
}  // namespace cohort::topics
