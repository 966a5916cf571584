#include "tests/bench/load/workload.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <vector>

#include "protocol/messages/consumer_group_heartbeat_request.h"
#include "protocol/messages/consumer_group_heartbeat_response.h"
#include "protocol/messages/create_topics_request.h"
#include "protocol/messages/create_topics_response.h"
#include "protocol/messages/offset_commit_request.h"
#include "protocol/messages/offset_commit_response.h"
#include "protocol/messages/offset_fetch_request.h"
#include "protocol/messages/offset_fetch_response.h"
#include "protocol/types/error_code.h"

namespace cohort::load {
namespace {

using protocol::ErrorCode;
using protocol::Text;

constexpr const char* kTopic = "load";
constexpr std::int16_t kCommitVersion = 9;
constexpr std::int16_t kFetchVersion = 9;
constexpr std::int16_t kHeartbeatVersion = 1;

void check(std::int16_t error, const char* what) {
  if (error != 0) give_up(fmt::format("{} failed with error {}", what, error));
}

// For a moment after a start a coordinator still reads its log.
bool is_loading(std::int16_t error) {
  return error == to_wire(ErrorCode::kCoordinatorLoadInProgress);
}

std::string group_name(std::size_t group) {
  return fmt::format("load-{}", group);
}

void create_topic(Connection& connection, std::size_t partitions) {
  constexpr std::int16_t kVersion = 7;
  protocol::CreateTopicsRequest request;
  request.timeout_ms = 30'000;
  auto& topic = request.topics.emplace_back();
  topic.name = kTopic;
  topic.num_partitions = static_cast<std::int32_t>(partitions);
  topic.replication_factor = 1;
  connection.add(0, request, kVersion);
  connection.flush();
  while (connection.in_flight() > 0) {
    pollfd readable{connection.descriptor(), POLLIN, 0};
    ::poll(&readable, 1, -1);
    connection.receive([](const Connection::Answer& answer) {
      const auto created = body_of<protocol::CreateTopicsResponse>(answer.bytes, kVersion);
      const std::int16_t error = created.topics.at(0).error_code;
      if (error != to_wire(ErrorCode::kTopicAlreadyExists)) check(error, "CreateTopics");
    });
  }
}

class Heartbeats final : public Workload {
 public:
  explicit Heartbeats(const Options& options) : options_(options), members_(options.members) {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      members_[i].group = group_name(i % options.groups);
      members_[i].id = fmt::format("member-{:015}", i);  // as long as the ids of real clients
    }
  }

  std::size_t jobs() const override { return members_.size(); }
  void prepare(Connection& connection) override { create_topic(connection, options_.partitions); }

  void ask(Connection& connection, std::size_t job) override {
    Member& member = members_[job];
    protocol::ConsumerGroupHeartbeatRequest request;
    request.group_id = Text(member.group);
    request.member_id = Text(member.id);
    request.member_epoch = member.epoch;
    if (member.changed) {
      request.rebalance_timeout_ms = 300'000;
      request.subscribed_topic_names = {Text(kTopic)};
      auto& owned = request.topic_partitions.emplace();
      for (const auto& topic : member.owned.topic_partitions) {
        auto& out = owned.emplace_back();
        out.topic_id = topic.topic_id;
        out.partitions = topic.partitions;
      }
      member.changed = false;
    }
    connection.add(job, request, kHeartbeatVersion);
  }

  bool take(std::size_t job, std::span<const std::byte> answer) override {
    const auto response = body_of<protocol::ConsumerGroupHeartbeatResponse>(answer, kHeartbeatVersion);
    if (is_loading(response.error_code)) return false;
    check(response.error_code, "ConsumerGroupHeartbeat");
    Member& member = members_[job];
    member.changed = response.member_epoch != member.epoch;
    member.epoch = response.member_epoch;
    // A heartbeat that says all is always answered with the assignment, so that one may be the member's own already.
    if (response.assignment && !equal(*response.assignment, member.owned)) {
      member.owned = *response.assignment;
      member.changed = true;
    }
    return !member.changed;
  }

 private:
  using Assignment = protocol::ConsumerGroupHeartbeatResponse::Assignment;

  static bool equal(const Assignment& one, const Assignment& other) {
    return std::ranges::equal(one.topic_partitions, other.topic_partitions, [](const auto& a, const auto& b) {
      return a.topic_id == b.topic_id && std::ranges::equal(a.partitions, b.partitions);
    });
  }

  struct Member {
    std::string group;
    std::string id;
    std::int32_t epoch = 0;
    bool changed = true;  // the next heartbeat says all
    Assignment owned;
  };
  const Options options_;
  std::vector<Member> members_;
};

// Commits and fetches of offsets are about the same partitions.
class Offsets : public Workload {
 public:
  explicit Offsets(const Options& options) : options_(options) {}
  std::size_t jobs() const override { return options_.groups; }
  void prepare(Connection& connection) override { create_topic(connection, options_.partitions); }

 protected:
  std::int32_t partition(std::size_t job, std::size_t index) const {
    return static_cast<std::int32_t>((job + index) % options_.partitions);
  }
  const Options options_;
};

class Commits final : public Offsets {
 public:
  using Offsets::Offsets;

  void ask(Connection& connection, std::size_t job) override {
    const std::string group = group_name(job);
    protocol::OffsetCommitRequest request;
    request.group_id = Text(group);
    request.generation_id_or_member_epoch = -1;
    auto& topic = request.topics.emplace_back();
    topic.name = kTopic;
    topic.partitions.resize(options_.offsets);
    for (std::size_t i = 0; i < options_.offsets; ++i) {
      topic.partitions[i].partition_index = partition(job, i);
      topic.partitions[i].committed_offset = next_offset_++;
    }
    connection.add(job, request, kCommitVersion);
  }

  bool take(std::size_t, std::span<const std::byte> answer) override {
    const auto response = body_of<protocol::OffsetCommitResponse>(answer, kCommitVersion);
    const auto& partitions = response.topics.at(0).partitions;
    if (is_loading(partitions.at(0).error_code)) return false;
    for (const auto& partition : partitions) check(partition.error_code, "OffsetCommit");
    return true;
  }

 private:
  std::int64_t next_offset_ = 0;
};

class Fetches final : public Offsets {
 public:
  using Offsets::Offsets;

  void ask(Connection& connection, std::size_t job) override {
    const std::string name = group_name(job);
    protocol::OffsetFetchRequest request;
    request.require_stable = true;
    auto& group = request.groups.emplace_back();
    group.group_id = Text(name);
    auto& topic = group.topics.emplace().emplace_back();
    topic.name = kTopic;
    topic.partition_indexes.resize(options_.offsets);
    for (std::size_t i = 0; i < options_.offsets; ++i) topic.partition_indexes[i] = partition(job, i);
    connection.add(job, request, kFetchVersion);
  }

  bool take(std::size_t, std::span<const std::byte> answer) override {
    const auto response = body_of<protocol::OffsetFetchResponse>(answer, kFetchVersion);
    if (is_loading(response.groups.at(0).error_code)) return false;
    check(response.groups[0].error_code, "OffsetFetch");
    for (const auto& partition : response.groups[0].topics.at(0).partitions) {
      check(partition.error_code, "OffsetFetch");
      if (partition.committed_offset < 0) give_up("nothing is committed: run commit with the same options before");
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<Workload> make_workload(const Options& options) {
  if (options.workload == "heartbeat") return std::make_unique<Heartbeats>(options);
  if (options.workload == "commit") return std::make_unique<Commits>(options);
  if (options.workload == "fetch") return std::make_unique<Fetches>(options);
  give_up("no such workload: " + options.workload);
}

}  // namespace cohort::load
