#include "tests/unit/coordinator/offsets/calls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace cohort::coordinator::testing {

CommitOffsets commit_request(const Harness& h, const std::string& group, const std::string& topic,
                             const Offsets& offsets, CommitAs as) {
  CommitOffsets commit;
  commit.version = as.version;
  commit.metadata_version = as.metadata_version;
  commit.request.group_id = group;
  commit.request.member_id = as.member;
  commit.request.generation_id_or_member_epoch = as.epoch;
  commit.request.retention_time_ms = as.retention_time_ms;
  auto& asked = commit.request.topics.emplace_back();
  asked.name = topic;
  const TopicView* known = h.metadata().find(topic);
  asked.topic_id = as.topic_id ? *as.topic_id : known != nullptr ? known->id.value() : protocol::Uuid();
  for (const auto& [partition, offset] : offsets) {
    auto& one = asked.partitions.emplace_back();
    one.partition_index = partition;
    one.committed_offset = offset;
    one.committed_leader_epoch = as.leader_epoch;
    one.committed_metadata = std::nullopt;
    if (as.metadata) one.committed_metadata = protocol::Text(*as.metadata);
  }
  return commit;
}

std::string answer(const protocol::OffsetCommitResponse& response) {
  Lines parts;
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      parts.push_back(fmt::format("{}:{}={}", topic.name, one.partition_index, one.error_code));
    }
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string commit(Harness& h, const std::string& group, const std::string& topic, const Offsets& offsets,
                   CommitAs as) {
  return answer(
      std::get<protocol::OffsetCommitResponse>(h.request(commit_request(h, group, topic, offsets, std::move(as)))));
}

namespace {

std::string fetch(Harness& h, FetchOffsets request, const FetchAs& as) {
  if (as.member) request.group.member_id = protocol::Text(*as.member);
  request.group.member_epoch = as.epoch;
  request.require_stable = as.require_stable;
  const std::string group = request.group.group_id.str();
  const auto response =
      std::get<protocol::OffsetFetchResponse::OffsetFetchResponseGroup>(h.request(std::move(request)));
  if (response.group_id != group) return "wrong group " + response.group_id.str();
  if (response.error_code != 0)
    return fmt::format("error {} with {} topics", response.error_code, response.topics.size());
  Lines parts;
  for (const auto& topic : response.topics) {
    for (const auto& one : topic.partitions) {
      std::string part = fmt::format("{}:{}={}", topic.name, one.partition_index, one.committed_offset);
      if (one.committed_leader_epoch != -1) part += fmt::format("@{}", one.committed_leader_epoch);
      if (!one.metadata)
        part += " null";
      else if (!one.metadata->empty())
        part += fmt::format("'{}'", *one.metadata);
      if (one.error_code != 0) part += fmt::format(" error {}", one.error_code);
      parts.push_back(std::move(part));
    }
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace

std::string fetch(Harness& h, const std::string& group, const std::string& topic, std::vector<std::int32_t> partitions,
                  FetchAs as) {
  FetchOffsets request;
  request.group.group_id = group;
  request.group.topics.emplace().push_back(
      {.name = topic, .topic_id = as.topic_id, .partition_indexes = std::move(partitions)});
  return fetch(h, std::move(request), as);
}

std::string fetch_all(Harness& h, const std::string& group, FetchAs as) {
  FetchOffsets request;
  request.group.group_id = group;
  request.group.topics = std::nullopt;
  return fetch(h, std::move(request), as);
}

std::string delete_offsets(Harness& h, const std::string& group, const std::string& topic,
                           std::vector<std::int32_t> partitions) {
  DeleteOffsets deletion;
  deletion.request.group_id = group;
  auto& asked = deletion.request.topics.emplace_back();
  asked.name = topic;
  for (const std::int32_t partition : partitions) asked.partitions.push_back({.partition_index = partition});
  const auto response = std::get<protocol::OffsetDeleteResponse>(h.request(std::move(deletion)));
  if (response.error_code != 0)
    return fmt::format("error {} with {} topics", response.error_code, response.topics.size());
  Lines parts;
  for (const auto& answered : response.topics) {
    for (const auto& one : answered.partitions) {
      parts.push_back(fmt::format("{}:{}={}", answered.name, one.partition_index, one.error_code));
    }
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

}  // namespace cohort::coordinator::testing
