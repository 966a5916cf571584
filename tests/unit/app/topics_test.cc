// CreateTopics, CreatePartitions and DeleteTopics: what comes back, and what is refused.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "protocol/messages/create_partitions_request.h"
#include "protocol/messages/create_partitions_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/delete_topics_request.h"
#include "protocol/messages/delete_topics_response.h"
#include "tests/unit/app/machine.h"

namespace cohort::app {
namespace {

using protocol::CreatePartitionsRequest;
using protocol::CreatePartitionsResponse;
using protocol::CreateTopicsRequest;
using protocol::CreateTopicsResponse;
using protocol::DeleteTopicsRequest;
using protocol::DeleteTopicsResponse;
using Errors = std::multimap<std::string, ErrorCode>;

CreateTopicsRequest::CreatableTopic topic_of(const std::string& name, std::int32_t partitions = 1,
                                             std::int16_t replicas = 1) {
  CreateTopicsRequest::CreatableTopic topic;
  topic.name = name;
  topic.num_partitions = partitions;
  topic.replication_factor = replicas;
  return topic;
}

Errors create(Client& client, std::vector<CreateTopicsRequest::CreatableTopic> topics, std::int16_t version = 7) {
  CreateTopicsRequest request;
  request.topics = std::move(topics);
  Errors errors;
  for (const auto& topic : client.ask<CreateTopicsResponse>(request, version).topics) {
    errors.emplace(topic.name.str(), static_cast<ErrorCode>(topic.error_code));
  }
  return errors;
}

ErrorCode error_of_new(Client& client, const CreateTopicsRequest::CreatableTopic& topic) {
  const Errors errors = create(client, {topic});
  REQUIRE(errors.size() == 1);
  return errors.begin()->second;
}

TEST_CASE("CreateTopics tells what it made, from version 5 on in full") {
  storage::MemFs fs;
  Machine machine(fs, {"num.partitions=4"});
  Client client(machine);
  for (std::int16_t version = 2; version <= 7; ++version) {
    INFO(version);
    CreateTopicsRequest request;
    auto topic = topic_of(fmt::format("t{}", version), -1, -1);
    auto& config = topic.configs.emplace_back();
    config.name = "retention.ms";
    config.value = Text("5000");
    request.topics.push_back(std::move(topic));
    const auto response = client.ask<CreateTopicsResponse>(request, version);
    REQUIRE(response.topics.size() == 1);
    const auto& made = response.topics[0];
    CHECK(made.error_code == to_wire(ErrorCode::kNone));
    CHECK_FALSE(made.error_message.has_value());
    CHECK(made.topic_id.is_zero() == (version < 7));
    CHECK(made.num_partitions == (version < 5 ? -1 : 4));
    CHECK(made.replication_factor == (version < 5 ? -1 : 1));
    if (version < 5) continue;
    REQUIRE(made.configs.has_value());
    const auto retention = std::ranges::find(*made.configs, Text("retention.ms"), [](const auto& c) { return c.name; });
    REQUIRE(retention != made.configs->end());
    CHECK(retention->value == Text("5000"));
    CHECK(retention->config_source == 1);
  }
}

TEST_CASE("CreateTopics: what cannot be made") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  create_topic(client, "t.x");
  CHECK(error_of_new(client, topic_of("t.x")) == ErrorCode::kTopicAlreadyExists);
  CHECK(error_of_new(client, topic_of("t_x")) == ErrorCode::kInvalidTopicException);  // collides in metrics
  CHECK(error_of_new(client, topic_of("")) == ErrorCode::kInvalidTopicException);
  CHECK(error_of_new(client, topic_of("a/b")) == ErrorCode::kInvalidTopicException);
  CHECK(error_of_new(client, topic_of(std::string(250, 'n'))) == ErrorCode::kInvalidTopicException);
  CHECK(error_of_new(client, topic_of("n", 0)) == ErrorCode::kInvalidPartitions);
  CHECK(error_of_new(client, topic_of("n", -2)) == ErrorCode::kInvalidPartitions);
  CHECK(error_of_new(client, topic_of("n", 1, 2)) == ErrorCode::kInvalidReplicationFactor);
  CHECK(error_of_new(client, topic_of("n", 1, 0)) == ErrorCode::kInvalidReplicationFactor);
  CHECK(error_of_new(client, topic_of("n", 10'001)) == ErrorCode::kPolicyViolation);
  auto with_config = topic_of("n");
  auto& config = with_config.configs.emplace_back();
  config.name = "retention.ms";
  config.value = Text("soon");
  CHECK(error_of_new(client, with_config) == ErrorCode::kInvalidConfig);
  auto assigned = topic_of("n", -1, -1);
  auto& assignment = assigned.assignments.emplace_back();
  assignment.broker_ids = {99};
  CHECK(error_of_new(client, assigned) == ErrorCode::kInvalidReplicaAssignment);
}

TEST_CASE("CreateTopics: one bad topic fails alone, a repeated one is answered once and not made") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  CHECK(create(client, {topic_of("twice", 1), topic_of("good"), topic_of("a b"), topic_of("twice", 2)}) ==
        Errors{{"a b", ErrorCode::kInvalidTopicException},
               {"good", ErrorCode::kNone},
               {"twice", ErrorCode::kInvalidRequest}});
  CHECK(create(client, {topic_of("twice"), topic_of("good")}) ==
        Errors{{"good", ErrorCode::kTopicAlreadyExists}, {"twice", ErrorCode::kNone}});
  CHECK(create(client, {topic_of("two"), topic_of("two")}) == Errors{{"two", ErrorCode::kInvalidRequest}});
}

TEST_CASE("CreateTopics with validate_only makes nothing") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  CreateTopicsRequest request;
  request.validate_only = true;
  request.topics.push_back(topic_of("t", 3));
  const auto response = client.ask<CreateTopicsResponse>(request, 7);
  CHECK(response.topics.at(0).error_code == to_wire(ErrorCode::kNone));
  CHECK(response.topics.at(0).topic_id.is_zero());
  CHECK(response.topics.at(0).num_partitions == 3);
  CHECK(error_of_new(client, topic_of("t")) == ErrorCode::kNone);
}

TEST_CASE("CreatePartitions: more of them, never fewer") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  for (const char* name : {"grows", "same", "fewer", "twice", "checked"}) create_topic(client, name, 2);
  const auto grow = [&](const std::vector<std::pair<std::string, std::int32_t>>& counts, bool validate_only = false) {
    CreatePartitionsRequest request;
    request.validate_only = validate_only;
    for (const auto& [name, count] : counts) {
      auto& topic = request.topics.emplace_back();
      topic.name = name;
      topic.count = count;
      topic.assignments.reset();
    }
    Errors errors;
    for (const auto& result : client.ask<CreatePartitionsResponse>(request, 3).results) {
      errors.emplace(result.name.str(), static_cast<ErrorCode>(result.error_code));
    }
    return errors;
  };
  CHECK(grow({{"twice", 3}, {"grows", 3}, {"same", 2}, {"fewer", 1}, {"none", 3}, {"twice", 4}}) ==
        Errors{{"fewer", ErrorCode::kInvalidPartitions},
               {"grows", ErrorCode::kNone},
               {"none", ErrorCode::kUnknownTopicOrPartition},
               {"same", ErrorCode::kInvalidPartitions},
               {"twice", ErrorCode::kInvalidRequest}});
  CHECK(grow({{"checked", 5}}, true) == Errors{{"checked", ErrorCode::kNone}});
  CHECK(grow({{"checked", 3}, {"twice", 3}}) == Errors{{"checked", ErrorCode::kNone}, {"twice", ErrorCode::kNone}});
}

// "name id error" of each answer.
std::vector<std::string> delete_topics(
    Client& client, const std::vector<std::pair<std::optional<std::string>, protocol::Uuid>>& topics) {
  DeleteTopicsRequest request;
  for (const auto& [name, id] : topics) {
    auto& topic = request.topics.emplace_back();
    if (name) {
      topic.name = Text(*name);
    } else {
      topic.name.reset();
    }
    topic.topic_id = id;
  }
  std::vector<std::string> deleted;
  for (const auto& topic : client.ask<DeleteTopicsResponse>(request, 6).responses) {
    deleted.push_back(fmt::format("{} {} {}", topic.name ? topic.name->str() : "?", topic.topic_id.to_string(),
                                  static_cast<ErrorCode>(topic.error_code)));
  }
  return deleted;
}

TEST_CASE("DeleteTopics by name and by id") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid a = create_topic(client, "a");
  const protocol::Uuid b = create_topic(client, "b");
  const protocol::Uuid none;
  const protocol::Uuid unknown(1, 2);
  CHECK(delete_topics(client, {{"a", none}, {std::nullopt, b}, {"c", none}, {std::nullopt, unknown}}) ==
        std::vector<std::string>{fmt::format("a {} NONE", a.to_string()), fmt::format("b {} NONE", b.to_string()),
                                 fmt::format("c {} UNKNOWN_TOPIC_OR_PARTITION", none.to_string()),
                                 fmt::format("? {} UNKNOWN_TOPIC_ID", unknown.to_string())});
  CHECK(delete_topics(client, {{"a", none}}).at(0).ends_with("UNKNOWN_TOPIC_OR_PARTITION"));
}

TEST_CASE("DeleteTopics: what cannot be meant is INVALID_REQUEST") {
  storage::MemFs fs;
  Machine machine(fs);
  Client client(machine);
  const protocol::Uuid id = create_topic(client, "t");
  const protocol::Uuid none;
  CHECK(delete_topics(client, {{"t", id}}).at(0).ends_with("INVALID_REQUEST"));
  CHECK(delete_topics(client, {{std::nullopt, none}}).at(0).ends_with("INVALID_REQUEST"));
  CHECK(delete_topics(client, {{"t", none}, {"t", none}}).at(0).ends_with("INVALID_REQUEST"));
  CHECK(delete_topics(client, {{"t", none}}).at(0).ends_with("NONE"));
}

TEST_CASE("DeleteTopics is refused where the configuration says so") {
  storage::MemFs fs;
  Machine machine(fs, {"delete.topic.enable=false"});
  Client client(machine);
  create_topic(client, "t");
  DeleteTopicsRequest request;
  request.topic_names = {Text("t")};
  for (std::int16_t version = 1; version < 6; ++version) {
    INFO(version);
    const auto response = client.ask<DeleteTopicsResponse>(request, version);
    CHECK(response.responses.at(0).name == Text("t"));
    CHECK(response.responses.at(0).error_code ==
          to_wire(version < 3 ? ErrorCode::kInvalidRequest : ErrorCode::kTopicDeletionDisabled));
  }
}

}  // namespace
}  // namespace cohort::app
