#include "server/topics/catalogue_core.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace cohort::topics {
namespace {

using protocol::ErrorCode;

struct Cat {
  TopicStoreOptions options;
  CatalogueCore core{options};
  std::uint64_t ids = 100;
  std::function<protocol::Uuid()> new_id = [this] { return protocol::Uuid(0, ++ids); };
  CatalogueOutput output;

  CatalogueContext context() const { return {42, new_id}; }
  std::vector<CreatedTopic> create(std::vector<CreateTopic> topics, bool validate_only = false) {
    output = {};
    return core.create_topics(topics, validate_only, context(), output);
  }
  static CreateTopic topic(std::string name, std::int32_t partitions = 3) {
    CreateTopic topic;
    topic.name = std::move(name);
    topic.partitions = partitions;
    return topic;
  }
  CreatedTopic create_one(CreateTopic topic) { return create({std::move(topic)}).at(0); }
  std::vector<DeletedTopic> remove(std::vector<DeleteTopic> topics) {
    output = {};
    return core.delete_topics(topics, output);
  }
  std::vector<TopicOutcome> grow(std::vector<CreatePartitions> topics) {
    output = {};
    return core.create_partitions(topics, false, output);
  }
  std::vector<TopicOutcome> alter(std::vector<AlterConfigs> topics, bool validate_only = false) {
    output = {};
    return core.alter_configs(topics, validate_only, output);
  }
};

TEST_CASE("creating a topic is one record that holds all of it") {
  Cat c;
  auto request = Cat::topic("orders");
  request.configs = {{"retention.ms", "5"}};
  const auto answer = c.create_one(request);
  CHECK(answer.error == ErrorCode::kNone);
  CHECK(answer.id == protocol::TopicId(protocol::Uuid(0, 101)));
  CHECK(answer.partitions == 3);
  CHECK(answer.replication_factor == 1);
  CHECK(answer.configs.at("retention.ms") == "5");
  REQUIRE(c.output.records.size() == 1);
  const auto& record = std::get<protocol::CatalogueTopicRecord>(c.output.records[0]);
  CHECK(record.key.topic_id == protocol::Uuid(0, 101));
  REQUIRE(record.value);
  CHECK(record.value->name == "orders");
  CHECK(record.value->partitions == 3);
  CHECK(record.value->created_timestamp == 42);
  REQUIRE(record.value->configs.size() == 1);
  REQUIRE(c.output.changes.size() == 1);
  CHECK(c.output.changes[0].before == nullptr);
  CHECK(c.output.changes[0].after->config.retention_ms == 5);
  CHECK(c.core.topic_count() == 1);
  CHECK(c.core.partition_count() == 3);
}

TEST_CASE("partitions of all topics together are bounded, whether created or added") {
  Cat c;
  c.options.max_partitions = 7;
  CHECK(c.create_one(Cat::topic("a", 4)).error == ErrorCode::kNone);
  CHECK(c.create_one(Cat::topic("b", 4)).error == ErrorCode::kPolicyViolation);
  CHECK(c.create_one(Cat::topic("b", 2)).error == ErrorCode::kNone);
  CHECK(c.grow({{.topic = "a", .count = 6, .assignments = {}}}).at(0).error == ErrorCode::kPolicyViolation);
  CHECK(c.grow({{.topic = "a", .count = 5, .assignments = {}}}).at(0).error == ErrorCode::kNone);
  CHECK(c.core.partition_count() == 7);
  CHECK(c.remove({{.name = "b", .id = {}}}).at(0).error == ErrorCode::kNone);
  CHECK(c.create_one(Cat::topic("c", 2)).error == ErrorCode::kNone);
}

TEST_CASE("what cannot be created") {
  Cat c;
  c.create({Cat::topic("a.b"), Cat::topic("plain")});
  c.options.max_topics = 4;
  const auto error_of = [&](CreateTopic topic) {
    const auto answer = c.create_one(std::move(topic));
    CHECK(c.output.records.empty() == (answer.error != ErrorCode::kNone));
    return answer.error;
  };
  CHECK(error_of(Cat::topic("plain")) == ErrorCode::kTopicAlreadyExists);
  CHECK(error_of(Cat::topic("a_b")) == ErrorCode::kInvalidTopicException);
  CHECK(error_of(Cat::topic("a b")) == ErrorCode::kInvalidTopicException);
  CHECK(error_of(Cat::topic("__consumer_offsets")) == ErrorCode::kInvalidTopicException);
  CHECK(error_of(Cat::topic("__cluster_metadata")) == ErrorCode::kInvalidRequest);
  CHECK(error_of(Cat::topic("x", 0)) == ErrorCode::kInvalidPartitions);
  CHECK(error_of(Cat::topic("x", -2)) == ErrorCode::kInvalidPartitions);
  CHECK(error_of(Cat::topic("x", 200'000)) == ErrorCode::kPolicyViolation);
  CHECK(error_of(Cat::topic("x", 10'001)) == ErrorCode::kPolicyViolation);
  auto replicated = Cat::topic("x");
  replicated.replication_factor = 3;
  CHECK(error_of(replicated) == ErrorCode::kInvalidReplicationFactor);
  replicated.replication_factor = 0;
  CHECK(error_of(replicated) == ErrorCode::kInvalidReplicationFactor);
  auto bad_config = Cat::topic("x");
  bad_config.configs = {{"retention.ms", "soon"}};
  CHECK(error_of(bad_config) == ErrorCode::kInvalidConfig);
  bad_config.configs = {{"retention.ms", std::nullopt}};
  CHECK(error_of(bad_config) == ErrorCode::kInvalidConfig);
  CHECK(error_of(Cat::topic("third")) == ErrorCode::kNone);
  CHECK(error_of(Cat::topic("fourth")) == ErrorCode::kNone);
  CHECK(error_of(Cat::topic("fifth")) == ErrorCode::kPolicyViolation);
}

TEST_CASE("defaults and manual assignments") {
  Cat c;
  c.options.defaults.num_partitions = 7;
  CHECK(c.create_one(Cat::topic("defaults", -1)).partitions == 7);
  auto manual = Cat::topic("manual", -1);
  manual.assignments = {{1, {1}}, {0, {1}}};
  CHECK(c.create_one(manual).partitions == 2);
  const auto error_of = [&](std::vector<ReplicaAssignment> assignments, std::int32_t partitions = -1) {
    auto topic = Cat::topic("other", partitions);
    topic.assignments = std::move(assignments);
    return c.create_one(topic).error;
  };
  CHECK(error_of({{0, {1}}}, 1) == ErrorCode::kInvalidRequest);
  CHECK(error_of({{0, {1}}, {0, {1}}}) == ErrorCode::kInvalidReplicaAssignment);
  CHECK(error_of({{1, {1}}}) == ErrorCode::kInvalidReplicaAssignment);
  CHECK(error_of({{0, {}}}) == ErrorCode::kInvalidReplicaAssignment);
  CHECK(error_of({{0, {2}}}) == ErrorCode::kInvalidReplicaAssignment);
  CHECK(error_of({{0, {1, 1}}}) == ErrorCode::kInvalidReplicaAssignment);
}

TEST_CASE("names that stand twice in a request, or collide within it") {
  Cat c;
  const auto answers =
      c.create({Cat::topic("twice"), Cat::topic("once"), Cat::topic("twice"), Cat::topic("x.y"), Cat::topic("x_y")});
  CHECK(answers[0].error == ErrorCode::kInvalidRequest);
  CHECK(answers[1].error == ErrorCode::kNone);
  CHECK(answers[2].error == ErrorCode::kInvalidRequest);
  CHECK(answers[3].error == ErrorCode::kNone);
  CHECK(answers[4].error == ErrorCode::kInvalidTopicException);
  CHECK(c.core.topic_count() == 2);
}

TEST_CASE("validation alone changes nothing") {
  Cat c;
  const auto answer = c.create({Cat::topic("a")}, true).at(0);
  CHECK(answer.error == ErrorCode::kNone);
  CHECK(answer.partitions == 3);
  CHECK(answer.id == protocol::TopicId{});
  CHECK(c.output.records.empty());
  CHECK(c.core.topic_count() == 0);
}

TEST_CASE("auto creation: a topic that is there is success") {
  Cat c;
  c.create({Cat::topic("there", 5)});
  c.output = {};
  const auto answers = c.core.auto_create({"new", "there", "new", "b a d"}, c.context(), c.output);
  REQUIRE(answers.size() == 4);
  CHECK(answers[0].error == ErrorCode::kNone);
  CHECK(answers[0].partitions == 1);
  CHECK(answers[1].partitions == 5);
  CHECK(answers[2].id == answers[0].id);
  CHECK(answers[3].error == ErrorCode::kInvalidTopicException);
  CHECK(c.output.records.size() == 1);
}

TEST_CASE("auto creation: the bound of partitions holds for all topics of a request together") {
  Cat c;
  c.options.max_partitions_per_request = 2;
  CatalogueCore core(c.options);
  const auto answers = core.auto_create({"a", "b", "c"}, c.context(), c.output);
  CHECK(answers[0].error == ErrorCode::kNone);
  CHECK(answers[1].error == ErrorCode::kNone);
  CHECK(answers[2].error == ErrorCode::kPolicyViolation);
}

TEST_CASE("deleting by name and by id") {
  Cat c;
  const auto made = c.create({Cat::topic("a"), Cat::topic("b"), Cat::topic("c")});
  const auto answers = c.remove(
      {{"a", {}}, {std::nullopt, made[1].id}, {"nobody", {}}, {std::nullopt, protocol::TopicId(protocol::Uuid(9, 9))}});
  CHECK(answers[0].error == ErrorCode::kNone);
  CHECK(answers[0].id == made[0].id);
  CHECK(answers[1].error == ErrorCode::kNone);
  CHECK(answers[1].name == "b");
  CHECK(answers[2].error == ErrorCode::kUnknownTopicOrPartition);
  CHECK(answers[3].error == ErrorCode::kUnknownTopicId);
  CHECK(c.output.records.size() == 2);
  CHECK(c.core.topic_count() == 1);
  CHECK(c.core.partition_count() == 3);
  // The name is free, and what comes has another id.
  CHECK(c.create_one(Cat::topic("a")).id != made[0].id);
}

TEST_CASE("deletions that are refused") {
  Cat c;
  c.core.create_internal_topics(c.context(), c.output);
  const auto a = c.create_one(Cat::topic("a")).id;
  CHECK(c.remove({{"__consumer_offsets", {}}})[0].error == ErrorCode::kInvalidRequest);
  CHECK(c.remove({{"a", {}}, {"a", {}}})[1].error == ErrorCode::kInvalidRequest);
  const auto both_ways = c.remove({{"a", {}}, {std::nullopt, a}});
  CHECK(both_ways[0].error == ErrorCode::kInvalidRequest);
  CHECK(both_ways[1].error == ErrorCode::kInvalidRequest);
  CHECK(c.remove({{"a", a}})[0].error == ErrorCode::kInvalidRequest);
  CHECK(c.remove({{std::nullopt, {}}})[0].error == ErrorCode::kInvalidRequest);
  c.options.defaults.delete_enable = false;
  CHECK(c.remove({{"a", {}}})[0].error == ErrorCode::kTopicDeletionDisabled);
  CHECK(c.core.topic_count() == 2);
}

TEST_CASE("more partitions") {
  Cat c;
  c.core.create_internal_topics(c.context(), c.output);
  c.create({Cat::topic("a", 3)});
  const auto error_of = [&](CreatePartitions request) { return c.grow({std::move(request)}).at(0).error; };
  CHECK(error_of({"a", 5, std::nullopt}) == ErrorCode::kNone);
  REQUIRE(c.output.changes.size() == 1);
  CHECK(c.output.changes[0].before->partitions == 3);
  CHECK(c.output.changes[0].after->partitions == 5);
  CHECK(c.core.partition_count() == 5 + c.options.offsets_partitions);
  CHECK(error_of({"a", 5, std::nullopt}) == ErrorCode::kInvalidPartitions);
  CHECK(error_of({"a", 4, std::nullopt}) == ErrorCode::kInvalidPartitions);
  CHECK(error_of({"b", 4, std::nullopt}) == ErrorCode::kUnknownTopicOrPartition);
  CHECK(error_of({"__consumer_offsets", 40, std::nullopt}) == ErrorCode::kInvalidRequest);
  CHECK(error_of({"a", 7, {{{1}}}}) == ErrorCode::kInvalidReplicaAssignment);
  CHECK(error_of({"a", 7, {{{1}, {2}}}}) == ErrorCode::kInvalidReplicaAssignment);
  CHECK(error_of({"a", 7, {{{1}, {1}}}}) == ErrorCode::kNone);
  CHECK(c.grow({{"a", 8, {}}, {"a", 9, {}}})[0].error == ErrorCode::kInvalidRequest);
}

TEST_CASE("other configs") {
  Cat c;
  c.create({Cat::topic("a")});
  const auto error_of = [&](std::vector<ConfigChange> changes, bool validate_only = false) {
    return c.alter({{"a", std::move(changes)}}, validate_only).at(0).error;
  };
  CHECK(error_of({{"retention.ms", ConfigOp::kSet, "5"}}, true) == ErrorCode::kNone);
  CHECK(c.output.records.empty());
  CHECK(error_of({{"retention.ms", ConfigOp::kSet, "5"}}) == ErrorCode::kNone);
  CHECK(c.output.records.size() == 1);
  CHECK(c.core.topics()[0]->config.retention_ms == 5);
  CHECK(error_of({{"retention.ms", ConfigOp::kSet, "5"}}) == ErrorCode::kNone);
  CHECK(c.output.records.empty());  // nothing changed
  CHECK(error_of({{"retention.ms", ConfigOp::kSet, "x"}}) == ErrorCode::kInvalidConfig);
  CHECK(error_of({{"retention.ms", ConfigOp::kDelete, {}}}) == ErrorCode::kNone);
  CHECK(c.core.topics()[0]->overrides.empty());
  c.core.create_internal_topics(c.context(), c.output);
  CHECK(c.alter({{"__consumer_offsets", {{"segment.ms", ConfigOp::kSet, "5"}}}})[0].error ==
        ErrorCode::kInvalidRequest);
  CHECK(c.alter({{"b", {}}})[0].error == ErrorCode::kUnknownTopicOrPartition);
  CHECK(c.alter({{"a", {}}, {"a", {}}})[0].error == ErrorCode::kInvalidRequest);
}

TEST_CASE("producer ids come in blocks and never fall") {
  Cat c;
  CHECK(c.core.reserve_producer_ids(1000, c.output) == 0);
  CHECK(c.core.reserve_producer_ids(1000, c.output) == 1000);
  CHECK(c.core.next_producer_id() == 2000);
  protocol::CatalogueProducerIdsRecord record;
  record.value.emplace().next_producer_id = 1999;
  CHECK_FALSE(c.core.apply(record));
}

TEST_CASE("replay of all records, and of the snapshot, makes the same state") {
  Cat c;
  std::vector<protocol::CatalogueRecord> all;
  const auto keep = [&] { all.insert(all.end(), c.output.records.begin(), c.output.records.end()); };
  c.core.count_start(c.output);
  c.core.create_internal_topics(c.context(), c.output);
  keep();
  c.output = {};
  c.core.count_start(c.output);
  keep();
  c.create({Cat::topic("a"), Cat::topic("b"), Cat::topic("c.d")});
  keep();
  c.remove({{"b", {}}});
  keep();
  c.alter({{"a", {{"segment.ms", ConfigOp::kSet, "9"}}}});
  keep();
  c.grow({{"a", 9, {}}});
  keep();
  c.output = {};
  c.core.reserve_producer_ids(10, c.output);
  keep();
  for (const auto& records : {all, c.core.snapshot_records()}) {
    CatalogueCore again(c.options);
    for (const auto& record : records) REQUIRE(again.apply(record).has_value());
    CHECK(again.snapshot_records() == c.core.snapshot_records());
    CHECK(again.partition_count() == c.core.partition_count());
    REQUIRE(again.topics().size() == c.core.topics().size());
    CHECK(again.topics()[1]->config == c.core.topics()[1]->config);
    CHECK(again.starts() == 2);
    CHECK(again.topics()[0]->made_at_start == 1);
    CHECK(again.topics()[1]->made_at_start == 2);
  }
}

TEST_CASE("starts are counted, and a topic keeps the one in which it was made") {
  Cat c;
  for (std::int32_t start = 1; start <= 3; ++start) {
    c.output = {};
    c.core.count_start(c.output);
    CHECK(c.core.starts() == start);
    REQUIRE(c.output.records.size() == 1);
    CHECK(std::get<protocol::CatalogueStartsRecord>(c.output.records[0]).value->starts == start);
    if (start == 2) c.create({Cat::topic("a")});
  }
  c.grow({{"a", 9, {}}});
  c.alter({{"a", {{"segment.ms", ConfigOp::kSet, "9"}}}});
  CHECK(c.core.topics()[0]->made_at_start == 2);
}

TEST_CASE("a count of starts that falls is damage, and so is a topic of a start that is still to come") {
  Cat c;
  c.core.count_start(c.output);
  c.core.count_start(c.output);
  protocol::CatalogueStartsRecord fallen;
  CHECK_FALSE(c.core.apply(fallen));
  fallen.value.emplace().starts = 1;
  CHECK_FALSE(c.core.apply(fallen));
  fallen.value->starts = 2;  // as a snapshot says it again
  CHECK(c.core.apply(fallen));
  protocol::CatalogueTopicRecord topic;
  topic.key.topic_id = protocol::Uuid(0, 1);
  auto& value = topic.value.emplace();
  value.name = protocol::Text("a");
  value.partitions = 1;
  for (const std::int32_t start : {-1, 3}) {
    value.made_at_start = start;
    CHECK_FALSE(c.core.apply(topic));
  }
  value.made_at_start = 2;
  CHECK(c.core.apply(topic));
}

TEST_CASE("what a group sets for itself is one record, and none when it sets nothing any more") {
  Cat c;
  const auto of_group = [](std::vector<ConfigChange> changes) {
    return AlterConfigs{"g", std::move(changes), ConfiguredThing::kGroup};
  };
  const auto set = [](std::string name, std::string value) { return ConfigChange{name, ConfigOp::kSet, value}; };
  CHECK(c.alter({of_group({set("consumer.session.timeout.ms", "50000")})}).at(0).error == ErrorCode::kNone);
  CHECK(c.output.records.size() == 1);
  CHECK(c.output.groups_changed);
  CHECK(c.core.groups().at("g").at("consumer.session.timeout.ms") == "50000");
  // The same again, however written, and what is only looked at, changes nothing.
  CHECK(c.alter({of_group({set("consumer.session.timeout.ms", " 050000")})}).at(0).error == ErrorCode::kNone);
  CHECK(c.output.records.empty());
  CHECK(c.alter({of_group({set("consumer.session.timeout.ms", "50000")})}).at(0).error == ErrorCode::kNone);
  CHECK(c.output.records.empty());
  CHECK(c.alter({of_group({set("consumer.session.timeout.ms", "51000")})}, true).at(0).error == ErrorCode::kNone);
  CHECK(c.output.records.empty());
  CHECK(c.alter({of_group({set("consumer.session.timeout.ms", "1")})}).at(0).error == ErrorCode::kInvalidConfig);
  CHECK(c.alter({of_group({set("retention.ms", "1")})}).at(0).error == ErrorCode::kInvalidConfig);
  const ConfigChange append{"consumer.session.timeout.ms", ConfigOp::kAppend, "5"};
  CHECK(c.alter({of_group({append})}).at(0).error == ErrorCode::kInvalidConfig);
  CHECK(c.alter({AlterConfigs{"", {}, ConfiguredThing::kGroup}}).at(0).error == ErrorCode::kInvalidRequest);

  CatalogueCore again(c.options);
  for (const auto& record : c.core.snapshot_records()) REQUIRE(again.apply(record).has_value());
  CHECK(again.groups() == c.core.groups());

  const ConfigChange remove{"consumer.session.timeout.ms", ConfigOp::kDelete, std::nullopt};
  CHECK(c.alter({of_group({remove})}).at(0).error == ErrorCode::kNone);
  REQUIRE(c.output.records.size() == 1);
  CHECK_FALSE(std::get<protocol::CatalogueGroupRecord>(c.output.records[0]).value.has_value());
  CHECK(c.core.groups().empty());
}

TEST_CASE("only so many groups set something for themselves") {
  Cat c;
  c.options.max_configured_groups = 2;
  const auto error_of = [&](std::string group, std::string value) {
    return c.alter({{group, {{"consumer.session.timeout.ms", ConfigOp::kSet, value}}, ConfiguredThing::kGroup}})
        .at(0)
        .error;
  };
  CHECK(error_of("a", "50000") == ErrorCode::kNone);
  CHECK(error_of("b", "50000") == ErrorCode::kNone);
  CHECK(error_of("c", "50000") == ErrorCode::kPolicyViolation);
  CHECK(error_of("b", "51000") == ErrorCode::kNone);
  CHECK(c.core.groups().size() == 2);
}

TEST_CASE("a topic and a group of one name are two resources") {
  Cat c;
  c.create({Cat::topic("x")});
  const auto answers =
      c.alter({{"x", {{"retention.ms", ConfigOp::kSet, "5"}}},
               {"x", {{"consumer.session.timeout.ms", ConfigOp::kSet, "50000"}}, ConfiguredThing::kGroup}});
  CHECK(answers.at(0).error == ErrorCode::kNone);
  CHECK(answers.at(1).error == ErrorCode::kNone);
}

TEST_CASE("records that no decision makes are damage") {
  Cat c;
  c.create({Cat::topic("a")});
  protocol::CatalogueTopicRecord record;
  record.key.topic_id = protocol::Uuid(1, 1);
  record.value.emplace().name = "a";
  record.value->partitions = 1;
  CHECK_FALSE(c.core.apply(record));
  record.value->name = "b";
  record.value->partitions = 0;
  CHECK_FALSE(c.core.apply(record));
  protocol::CatalogueGroupRecord group;
  CHECK_FALSE(c.core.apply(group));  // whose?
  group.key.group_id = "g";
  group.value.emplace();
  CHECK_FALSE(c.core.apply(group));  // nothing is written as no value
}

TEST_CASE("a step decides no more than a batch of the log holds; what is too much is refused before it is applied") {
  Cat c;
  const std::string long_id(32'000, 'g');
  std::vector<AlterConfigs> groups;
  for (int i = 0; i < 600; ++i) {
    groups.push_back({long_id + std::to_string(i),
                      {{"consumer.session.timeout.ms", ConfigOp::kSet, "50000"}},
                      ConfiguredThing::kGroup});
  }
  const auto answers = c.alter(groups);
  const auto done = std::ranges::count(answers, ErrorCode::kNone, &TopicOutcome::error);
  CHECK(done > 300);
  CHECK(done < 400);
  CHECK(std::ranges::count(answers, ErrorCode::kPolicyViolation, &TopicOutcome::error) == 600 - done);
  CHECK(c.core.groups().size() == static_cast<std::size_t>(done));
  CHECK(c.output.bytes < kMaxStepBytes + 40'000);
  auto blanks = Cat::topic("x");
  blanks.configs = {{"retention.ms", std::string(2000, ' ') + "5"}};
  CHECK(c.create_one(blanks).error == ErrorCode::kInvalidConfig);
}

// Which partitions of the topics may be unmade, e.g. "a:0 a:1".
std::string unmade(const CatalogueCore& core) {
  std::string text;
  for (const auto& topic : core.topics()) {
    for (std::int32_t p = 0; p < topic->partitions; ++p) {
      if (core.may_be_unmade(*topic, p)) text += topic->name.value() + ":" + std::to_string(p) + " ";
    }
  }
  return text;
}

TEST_CASE("what was deleted may be left on the disk until all is carried out, over a snapshot as well") {
  Cat c;
  const auto gone = c.create_one(Cat::topic("gone")).id;
  const auto kept = c.create_one(Cat::topic("kept")).id;
  c.remove({{"gone", {}}});
  CHECK(c.core.may_be_left(gone));
  CHECK_FALSE(c.core.may_be_left(kept));
  CatalogueCore again(c.options);
  for (const auto& record : c.core.snapshot_records()) REQUIRE(again.apply(record).has_value());
  CHECK(again.may_be_left(gone));
  CHECK(again.topics().size() == 1);
  c.output = {};
  c.core.mark_carried_out(c.output);
  CHECK_FALSE(c.core.may_be_left(gone));
}

TEST_CASE("what is carried out is known to be there, over a snapshot as well") {
  Cat c;
  c.create({Cat::topic("a", 1), Cat::topic("b", 2)});
  CHECK(unmade(c.core) == "a:0 b:0 b:1 ");
  c.output = {};
  c.core.mark_carried_out(c.output);
  REQUIRE(c.output.records.size() == 1);
  CHECK(unmade(c.core).empty());
  c.output = {};
  c.core.mark_carried_out(c.output);
  CHECK(c.output.records.empty());
  c.grow({{.topic = "a", .count = 3, .assignments = std::nullopt}});
  c.create({Cat::topic("c", 1), Cat::topic("d", 1)});
  c.remove({{"d", {}}});
  c.alter({{.name = "b", .changes = {{"retention.ms", ConfigOp::kSet, "5"}}}});
  CHECK(unmade(c.core) == "a:1 a:2 c:0 ");

  CatalogueCore again(c.options);
  for (const auto& record : c.core.snapshot_records()) REQUIRE(again.apply(record).has_value());
  CHECK(unmade(again) == "a:1 a:2 c:0 ");
  CHECK(again.topics().size() == 3);
}

}  // namespace
}  // namespace cohort::topics
