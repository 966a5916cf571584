#include "tests/sim/member.h"

#include <utility>
#include <variant>

namespace cohort::sim {
namespace {

using coordinator::GroupResponse;
using protocol::ErrorCode;

constexpr double kLostReply = 0.03;

}  // namespace

Member::Member(World& world, Server& server, Ledger& ledger, std::string group, std::string name)
    : world_(world), server_(server), ledger_(ledger), group_(std::move(group)), name_(std::move(name)) {
  forget();
}

void Member::start() {
  later(world_.delay(0, 3'000));
}

void Member::later(Duration delay) {
  world_.after(delay, [this] { live(); });
}

void Member::forget() {
  id_ = fmt::format("{}-{}", name_, ++lives_);
  epoch_ = 0;
  owned_.clear();
  confirm_ = false;
}

void Member::live() {
  if (world_.chance(0.01)) {
    world_.count("fault: member dies");
    ++request_;
    is_waiting_ = false;
    forget();
    return later(world_.delay(0, 90'000));
  }
  if (world_.chance(0.01)) {
    world_.count("fault: member pauses");
    return later(world_.delay(10'000, 120'000));
  }
  if (world_.chance(0.01) && epoch_ > 0) {
    world_.count("member leaves");
    heartbeat(-1);
    forget();
    return later(world_.delay(0, 30'000));
  }
  if (!is_waiting_) heartbeat(epoch_);
  if (!owned_.empty() && world_.chance(0.5)) commit();
  if (world_.chance(0.1)) fetch();
  later(world_.delay(500, 5'000));
}

bool Member::is_lost(const char* what) {
  if (!world_.chance(kLostReply)) return false;
  world_.count(std::string("fault: lost reply to ") + what);
  return true;
}

void Member::count_error(const char* api, std::int16_t code) {
  world_.count(fmt::format("{}: {}", api, code));
}

void Member::heartbeat(std::int32_t epoch) {
  coordinator::ConsumerHeartbeat call;
  call.client = {.client_id = name_, .client_host = "/127.0.0.1"};
  call.version = 1;
  auto& request = call.request;
  request.group_id = group_;
  request.member_id = id_;
  request.member_epoch = epoch;
  if (epoch == 0) {
    request.rebalance_timeout_ms = 30'000;
    request.subscribed_topic_names.emplace();
    for (const auto& topic : server_.topics().topics()) request.subscribed_topic_names->push_back(topic.name.value());
    request.topic_partitions.emplace();
  } else if (epoch > 0 && confirm_) {
    request.topic_partitions.emplace();
    for (const auto& [topic, partitions] : owned_) {
      auto& of_topic = request.topic_partitions->emplace_back();
      of_topic.topic_id = topic.value();
      of_topic.partitions = partitions;
    }
  }
  const std::uint64_t number = ++request_;
  is_waiting_ = epoch >= 0;
  server_.request(group_, std::move(call), [this, number, epoch](const GroupResponse& response) {
    if (number != request_ || !is_waiting_ || is_lost("heartbeat")) return;
    is_waiting_ = false;
    on_heartbeat(epoch, response);
  });
  // No answer: ask again as if nothing had been said, as clients do.
  world_.after(Duration{5'000}, [this, number] {
    if (number == request_) is_waiting_ = false;
  });
}

void Member::on_heartbeat(std::int32_t sent_epoch, const GroupResponse& response) {
  if (const auto* refused = std::get_if<coordinator::Refused>(&response)) {
    return count_error("heartbeat refused", static_cast<std::int16_t>(refused->error));
  }
  const auto& reply = std::get<protocol::ConsumerGroupHeartbeatResponse>(response);
  count_error("heartbeat", reply.error_code);
  world_.trace(fmt::format("{} {} epoch {} -> error {} epoch {}", group_, id_, sent_epoch, reply.error_code,
                           reply.member_epoch));
  const auto error = static_cast<ErrorCode>(reply.error_code);
  if (error == ErrorCode::kFencedMemberEpoch || error == ErrorCode::kUnknownMemberId) return forget();
  if (error != ErrorCode::kNone) return;
  if (reply.member_epoch < epoch_) {
    throw Violation(fmt::format("the epoch of {} fell from {} to {}", id_, epoch_, reply.member_epoch));
  }
  epoch_ = reply.member_epoch;
  confirm_ = false;
  if (!reply.assignment) return;
  Partitions assigned;
  for (const auto& topic : reply.assignment->topic_partitions) {
    assigned[protocol::TopicId(topic.topic_id)] = topic.partitions;
  }
  if (assigned == owned_) return;
  owned_ = std::move(assigned);
  confirm_ = true;
  world_.after(world_.delay(0, 500), [this, number = request_] {
    if (number == request_ && !is_waiting_ && epoch_ > 0) heartbeat(epoch_);
  });
}

void Member::commit() {
  const auto& [topic_id, partitions] = *std::next(owned_.begin(), world_.pick(0, std::ssize(owned_) - 1));
  const auto* topic = server_.topics().find(topic_id);
  if (topic == nullptr || partitions.empty()) return;
  const std::int32_t partition = partitions[static_cast<std::size_t>(world_.pick(0, std::ssize(partitions) - 1))];
  const Ledger::Key key{group_, topic->name.value(), partition};
  const std::int64_t offset = ledger_.next(key);

  coordinator::CommitOffsets call;
  call.version = 10;
  call.request.group_id = group_;
  call.request.member_id = id_;
  call.request.generation_id_or_member_epoch = epoch_;
  auto& of_topic = call.request.topics.emplace_back();
  of_topic.name = topic->name.value();
  of_topic.topic_id = topic_id.value();
  auto& of_partition = of_topic.partitions.emplace_back();
  of_partition.partition_index = partition;
  of_partition.committed_offset = offset;
  server_.request(group_, std::move(call),
                  [this, key, offset](const GroupResponse& response) { on_commit(key, offset, response); });
}

void Member::on_commit(const Ledger::Key& key, std::int64_t offset, const GroupResponse& response) {
  if (is_lost("commit")) return;
  if (const auto* refused = std::get_if<coordinator::Refused>(&response)) {
    return count_error("commit refused", static_cast<std::int16_t>(refused->error));
  }
  const auto& reply = std::get<protocol::OffsetCommitResponse>(response);
  const std::int16_t error = reply.topics.at(0).partitions.at(0).error_code;
  count_error("commit", error);
  world_.trace(fmt::format("{} commit {}-{} at {} -> {}", key.group, key.topic, key.partition, offset, error));
  if (error == 0) ledger_.acknowledged(key, offset);
}

void Member::fetch() {
  const auto& topics = server_.topics().topics();
  if (topics.empty()) return;
  const auto& topic = topics[static_cast<std::size_t>(world_.pick(0, std::ssize(topics) - 1))];
  const auto partition = static_cast<std::int32_t>(world_.pick(0, topic.partitions - 1));
  const Ledger::Key key{group_, topic.name.value(), partition};
  const std::int64_t least = ledger_.last_acknowledged(key);

  coordinator::FetchOffsets call;
  call.group.group_id = group_;
  auto& of_topic = call.group.topics->emplace_back();
  of_topic.name = topic.name.value();
  of_topic.topic_id = topic.id.value();
  of_topic.partition_indexes.push_back(partition);
  server_.request(group_, std::move(call), [this, key, least](const GroupResponse& response) {
    if (const auto* refused = std::get_if<coordinator::Refused>(&response)) {
      return count_error("fetch refused", static_cast<std::int16_t>(refused->error));
    }
    const auto& reply = std::get<protocol::OffsetFetchResponse::OffsetFetchResponseGroup>(response);
    count_error("fetch", reply.error_code);
    if (reply.error_code != 0) return;
    const auto& of_partition = reply.topics.at(0).partitions.at(0);
    if (of_partition.error_code != 0) return count_error("fetch of a partition", of_partition.error_code);
    world_.trace(
        fmt::format("{} fetch {}-{} -> {}", key.group, key.topic, key.partition, of_partition.committed_offset));
    ledger_.read(key, least, of_partition.committed_offset);
  });
}

}  // namespace cohort::sim
