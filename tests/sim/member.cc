#include "tests/sim/member.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>
#include <variant>

namespace cohort::sim {
namespace {

using coordinator::GroupResponse;
using protocol::ErrorCode;

constexpr std::int32_t kLeaves = -1;
constexpr std::int32_t kLeavesForAWhile = -2;
constexpr std::array kRegexes = {"orders.*", "pay.*|audit", ".*"};
constexpr const char* kBadRegex = "orders(";

}  // namespace

Member::Member(World& world, Server& server, OffsetsClient& offsets, const Peers& peers,
               const ClassicPeers& classic_peers, const bool& night, std::string group, std::string name)
    : world_(world),
      server_(server),
      offsets_(offsets),
      peers_(peers),
      classic_peers_(classic_peers),
      night_(night),
      group_(std::move(group)),
      name_(std::move(name)),
      is_static_(world.chance(0.3)) {
  if (world_.chance(0.3)) regex_ = kRegexes[static_cast<std::size_t>(world_.pick(0, std::ssize(kRegexes) - 1))];
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
  epoch_ = old_epoch_ = 0;
  owned_.clear();
  confirm_ = tell_all_ = false;
}

// ---- a day in its life ----

void Member::live() {
  if (night_) {
    if (epoch_ > 0) leave();
    return later(world_.delay(30'000, 600'000));
  }
  if (meet_fate()) return;
  if (!is_waiting_) heartbeat(epoch_);
  use_offsets();
  later(world_.delay(500, 5'000));
}

// Whether it is away for a while.
bool Member::meet_fate() {
  if (world_.chance(0.01)) {
    world_.count("fault: member dies");
    ++request_;
    is_waiting_ = false;
    if (world_.chance(0.2)) send_late(0);
    forget();
    later(world_.delay(0, 90'000));
    return true;
  }
  if (world_.chance(0.01)) {
    world_.count("fault: member pauses");
    later(world_.delay(10'000, 120'000));
    return true;
  }
  if (world_.chance(0.01) && epoch_ > 0) {
    leave();
    later(world_.delay(0, 30'000));
    return true;
  }
  return false;
}

void Member::leave() {
  const bool for_a_while = is_static_ && world_.chance(0.7);
  world_.count(for_a_while ? "member: leaves for a while" : "member: leaves");
  heartbeat(for_a_while ? kLeavesForAWhile : kLeaves);
  forget();
}

void Member::use_offsets() {
  const auto& topics = server_.topics().topics();
  if (!owned_.empty() && world_.chance(0.5)) {
    const auto& [id, partitions] = *std::next(owned_.begin(), world_.pick(0, std::ssize(owned_) - 1));
    const auto* topic = server_.topics().find(id);
    if (topic != nullptr && !partitions.empty()) {
      const auto partition = partitions[static_cast<std::size_t>(world_.pick(0, std::ssize(partitions) - 1))];
      const bool is_late = old_epoch_ > 0 && world_.chance(0.05);
      if (is_late) world_.count("fault: commit with an old epoch");
      offsets_.commit(group_, {id_, is_late ? old_epoch_ : epoch_}, *topic, partition);
    }
  }
  if (world_.chance(0.02) && lives_ > 1) {
    world_.count("fault: commit of a former member");
    offsets_.commit(group_, {fmt::format("{}-{}", name_, lives_ - 1), std::max(epoch_, 1)}, topics.front(), 0);
  }
  if (world_.chance(0.1)) {
    const auto& topic = topics[static_cast<std::size_t>(world_.pick(0, std::ssize(topics) - 1))];
    const auto partition = static_cast<std::int32_t>(world_.pick(0, topic.partitions - 1));
    const bool as_member = epoch_ > 0 && world_.chance(0.5);
    offsets_.fetch(group_, as_member ? Asker{id_, epoch_} : Asker{}, topic, partition);
  }
}

// ---- heartbeats ----

coordinator::ConsumerHeartbeat Member::make_heartbeat(std::int32_t epoch) const {
  coordinator::ConsumerHeartbeat call;
  call.client = {.client_id = name_, .client_host = "/127.0.0.1"};
  call.version = 1;
  call.request.group_id = group_;
  call.request.member_id = id_;
  call.request.member_epoch = epoch;
  if (is_static_) call.request.instance_id = protocol::Text(name_);
  return call;
}

void Member::subscribe(protocol::ConsumerGroupHeartbeatRequest& request) {
  if (regex_) {
    const bool is_bad = world_.chance(0.02);
    request.subscribed_topic_regex = protocol::Text(is_bad ? std::string_view(kBadRegex) : std::string_view(*regex_));
    return;
  }
  request.subscribed_topic_names.emplace();
  for (const char* name : {"orders", "payments", "audit"}) {
    if (world_.chance(0.9)) request.subscribed_topic_names->emplace_back(name);
  }
}

void Member::heartbeat(std::int32_t epoch) {
  coordinator::ConsumerHeartbeat call = make_heartbeat(epoch);
  auto& request = call.request;
  const bool joins = epoch == 0;
  const bool tells_all = joins || (epoch > 0 && tell_all_);
  if (tells_all) request.rebalance_timeout_ms = 30'000;
  if (tells_all || (epoch > 0 && world_.chance(0.01))) subscribe(request);
  if (tells_all || (epoch > 0 && confirm_)) {
    request.topic_partitions.emplace();
    for (const auto& [topic, partitions] : owned_) {
      auto& of_topic = request.topic_partitions->emplace_back();
      of_topic.topic_id = topic.value();
      of_topic.partitions = partitions;
    }
  }
  if (epoch > 0 && old_epoch_ > 0 && world_.chance(0.02)) send_late(old_epoch_);
  const std::uint64_t number = ++request_;
  is_waiting_ = epoch >= 0;
  server_.request(group_, call, [this, number, epoch](const GroupResponse& response) {
    if (number != request_ || !is_waiting_ || is_lost(world_, "heartbeat")) return;
    is_waiting_ = false;
    on_heartbeat(epoch, response);
  });
  // No answer: ask again and say all, as clients do.
  world_.after(Duration{5'000}, [this, number] {
    if (number != request_ || !is_waiting_) return;
    is_waiting_ = false;
    tell_all_ = true;
  });
}

// An old request comes late; nobody waits for its answer. It names no partitions: one that did would pass for a
// confirmation, and TCP does not bring such a one after its successors.
void Member::send_late(std::int32_t epoch) {
  world_.count("fault: late heartbeat");
  coordinator::ConsumerHeartbeat call = make_heartbeat(epoch);
  if (epoch == 0) {
    call.request.rebalance_timeout_ms = 30'000;
    call.request.topic_partitions.emplace();
    subscribe(call.request);
  }
  server_.request(group_, call, [this](const GroupResponse& response) {
    if (is_refused(world_, "late heartbeat", response)) return;
    count_answer(world_, "late heartbeat", std::get<protocol::ConsumerGroupHeartbeatResponse>(response).error_code,
                 {ErrorCode::kFencedMemberEpoch, ErrorCode::kUnknownMemberId, ErrorCode::kGroupIdNotFound,
                  ErrorCode::kUnreleasedInstanceId, ErrorCode::kFencedInstanceId, ErrorCode::kGroupMaxSizeReached,
                  ErrorCode::kInvalidRegularExpression});
  });
}

void Member::on_heartbeat(std::int32_t sent_epoch, const GroupResponse& response) {
  tell_all_ = true;  // until an answer says otherwise
  if (is_refused(world_, "heartbeat", response)) return;
  const auto& reply = std::get<protocol::ConsumerGroupHeartbeatResponse>(response);
  count_answer(world_, "heartbeat", reply.error_code,
               {ErrorCode::kFencedMemberEpoch, ErrorCode::kUnknownMemberId, ErrorCode::kGroupIdNotFound,
                ErrorCode::kUnreleasedInstanceId, ErrorCode::kFencedInstanceId, ErrorCode::kGroupMaxSizeReached,
                ErrorCode::kInvalidRegularExpression});
  world_.trace(fmt::format("{} {} epoch {} -> error {} epoch {}", group_, id_, sent_epoch, reply.error_code,
                           reply.member_epoch));
  switch (static_cast<ErrorCode>(reply.error_code)) {
    case ErrorCode::kNone:
      break;
    case ErrorCode::kFencedMemberEpoch:
    case ErrorCode::kUnknownMemberId:
    case ErrorCode::kGroupIdNotFound:
    case ErrorCode::kFencedInstanceId:
      return forget();
    default:
      return;  // asked again with the next turn
  }
  if (reply.member_epoch < epoch_) {
    throw Violation(fmt::format("the epoch of {} fell from {} to {}", id_, epoch_, reply.member_epoch));
  }
  if (epoch_ != reply.member_epoch) old_epoch_ = epoch_;
  epoch_ = reply.member_epoch;
  confirm_ = tell_all_ = false;
  if (reply.assignment) take(*reply.assignment);
}

void Member::take(const protocol::ConsumerGroupHeartbeatResponse::Assignment& assignment) {
  Partitions assigned;
  for (const auto& topic : assignment.topic_partitions) {
    assigned[protocol::TopicId(topic.topic_id)] = topic.partitions;
  }
  if (assigned == owned_) return;
  owned_ = std::move(assigned);
  // Each of them is in the hands of this member alone, unless the other one is out of the group and does not know it.
  for (const Member* peer : peers_) {
    if (peer == this || !server_.has_member(group_, peer->id_)) continue;
    for (const auto& [topic, partitions] : owned_) {
      const auto it = peer->owned_.find(topic);
      if (it == peer->owned_.end()) continue;
      for (const std::int32_t partition : partitions) {
        if (std::ranges::find(it->second, partition) == it->second.end()) continue;
        throw Violation(fmt::format("{} was given partition {}, which {} still has", id_, partition, peer->id_));
      }
    }
  }
  for (const ClassicMember* peer : classic_peers_) {
    if (!server_.has_member(group_, peer->id())) continue;
    for (const auto& [topic, partitions] : owned_) {
      for (const std::int32_t partition : partitions) {
        if (!peer->has(topic, partition)) continue;
        throw Violation(fmt::format("{} was given partition {}, which {} still has", id_, partition, peer->id()));
      }
    }
  }
  confirm_ = true;
  world_.after(world_.delay(0, 500), [this, number = request_] {
    if (number == request_ && !is_waiting_ && epoch_ > 0) heartbeat(epoch_);
  });
}

}  // namespace cohort::sim
