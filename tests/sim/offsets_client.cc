#include "tests/sim/offsets_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace cohort::sim {
namespace {

using coordinator::GroupResponse;
using protocol::ErrorCode;

constexpr double kLostReply = 0.03;

}  // namespace

bool is_lost(World& world, std::string_view what) {
  if (!world.chance(kLostReply)) return false;
  world.count(fmt::format("fault: lost reply to {}", what));
  return true;
}

void count_answer(World& world, std::string_view api, std::int16_t error, std::initializer_list<ErrorCode> expected) {
  world.count(fmt::format("{}: {}", api, error));
  const auto code = static_cast<ErrorCode>(error);
  if (code == ErrorCode::kNone || std::ranges::find(expected, code) != expected.end()) return;
  throw Violation(fmt::format("{} was answered with error {}", api, error));
}

bool is_refused(World& world, std::string_view api, const GroupResponse& response) {
  const auto* refused = std::get_if<coordinator::Refused>(&response);
  if (refused == nullptr) return false;
  count_answer(
      world, fmt::format("{} refused", api), static_cast<std::int16_t>(refused->error),
      {ErrorCode::kCoordinatorLoadInProgress, ErrorCode::kCoordinatorNotAvailable, ErrorCode::kNotCoordinator});
  return true;
}

void OffsetsClient::commit(const std::string& group, const Asker& asker, const coordinator::TopicView& topic,
                           std::int32_t partition) {
  const Ledger::Key key{group, topic.id, partition};
  const std::int64_t offset = ledger_.commit(key);
  coordinator::CommitOffsets call;
  call.version = 10;
  call.metadata_version = server_.topics().version();
  call.request.group_id = group;
  call.request.member_id = asker.id;
  call.request.generation_id_or_member_epoch = asker.epoch;
  auto& of_topic = call.request.topics.emplace_back();
  of_topic.name = topic.name.value();
  of_topic.topic_id = topic.id.value();
  auto& of_partition = of_topic.partitions.emplace_back();
  of_partition.partition_index = partition;
  of_partition.committed_offset = offset;

  const Shadow::Lives sent = server_.shadow_of(group).member(group, asker.id);
  const Shadow::Generation generation = server_.shadow_of(group).generation(group);
  server_.request(group, call, [this, key, offset, asker, sent, generation](const GroupResponse& response) {
    if (is_lost(world_, "commit") || is_refused(world_, "commit", response)) return;
    const auto& reply = std::get<protocol::OffsetCommitResponse>(response);
    const std::int16_t error = reply.topics.at(0).partitions.at(0).error_code;
    count_answer(world_, "commit", error,
                 {ErrorCode::kUnknownMemberId, ErrorCode::kStaleMemberEpoch, ErrorCode::kGroupIdNotFound,
                  ErrorCode::kUnknownTopicId, ErrorCode::kIllegalGeneration, ErrorCode::kRebalanceInProgress});
    world_.trace(fmt::format("{} commit {}-{} at {} -> {}", key.group, key.topic, key.partition, offset, error));
    if (error != 0) return ledger_.refused(key, offset);
    ledger_.done(key, offset);
    if (asker.epoch < 0) return;
    if (asker.is_classic) {
      // C6: nobody commits for a generation that was over before the request was sent.
      const Shadow::Generation now = server_.shadow_of(key.group).generation(key.group);
      if (now.life == generation.life && asker.epoch < generation.number) {
        throw Violation(fmt::format("{} committed in generation {} of {}, after generation {} was stable", asker.id,
                                    asker.epoch, key.group, generation.number));
      }
      return;
    }
    // C6: nobody commits who was no member from the request to the reply.
    const Shadow::Lives now = server_.shadow_of(key.group).member(key.group, asker.id);
    if (!sent.is_there && now.count == sent.count) {
      throw Violation(fmt::format("{} is no member of {} and committed", asker.id, key.group));
    }
  });
}

void OffsetsClient::fetch(const std::string& group, const Asker& asker, const coordinator::TopicView& topic,
                          std::int32_t partition) {
  const Ledger::Key key{group, topic.id, partition};
  // By name the shard answers for the topic that it knows under it: the same one, unless `api` is behind.
  const bool by_name = world_.chance(0.3) && server_.is_newest(server_.topics().version());
  coordinator::FetchOffsets call;
  call.group.group_id = group;
  if (!asker.id.empty()) {
    call.group.member_id = protocol::Text(asker.id);
    call.group.member_epoch = asker.epoch;
  }
  auto& of_topic = call.group.topics->emplace_back();
  of_topic.name = topic.name.value();
  if (!by_name) of_topic.topic_id = topic.id.value();
  of_topic.partition_indexes.push_back(partition);
  server_.request(group, call,
                  [this, key, mark = ledger_.mark(key), version = server_.topics().version(),
                   by_name](const GroupResponse& response) {
                    if (is_refused(world_, "fetch", response)) return;
                    const auto& reply = std::get<protocol::OffsetFetchResponse::OffsetFetchResponseGroup>(response);
                    count_answer(world_, "fetch", reply.error_code,
                                 {ErrorCode::kUnknownMemberId, ErrorCode::kStaleMemberEpoch});
                    if (reply.error_code != 0) return;
                    const std::int64_t offset = reply.topics.at(0).partitions.at(0).committed_offset;
                    world_.trace(fmt::format("{} fetch {}-{} -> {}", key.group, key.topic, key.partition, offset));
                    world_.count(offset == -1 ? "fetch: no offset" : "fetch: an offset");
                    // The topic may have been replaced while the request was on its way: then the answer is about
                    // another one.
                    if (by_name && !server_.is_newest(version)) return;
                    ledger_.read(key, mark, offset);
                  });
}

void OffsetsClient::remove(const std::string& group, const coordinator::TopicView& topic, std::int32_t partition) {
  const Ledger::Key key{group, topic.id, partition};
  const std::int64_t number = ledger_.remove(key);
  coordinator::DeleteOffsets call;
  call.request.group_id = group;
  auto& of_topic = call.request.topics.emplace_back();
  of_topic.name = topic.name.value();
  of_topic.partitions.emplace_back().partition_index = partition;
  server_.request(group, call, [this, key, number](const GroupResponse& response) {
    if (is_lost(world_, "offset delete") || is_refused(world_, "offset delete", response)) return;
    const auto& reply = std::get<protocol::OffsetDeleteResponse>(response);
    count_answer(world_, "offset delete", reply.error_code, {ErrorCode::kGroupIdNotFound});
    if (reply.error_code != 0) return ledger_.refused(key, number);
    const std::int16_t error = reply.topics.at(0).partitions.at(0).error_code;
    count_answer(world_, "offset delete of a partition", error, {ErrorCode::kGroupSubscribedToTopic});
    if (error != 0) return ledger_.refused(key, number);
    ledger_.done(key, number);
  });
}

}  // namespace cohort::sim
