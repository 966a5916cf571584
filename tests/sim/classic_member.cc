#include "tests/sim/classic_member.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "protocol/messages/consumer_protocol_assignment.h"
#include "protocol/messages/consumer_protocol_subscription.h"
#include "protocol/wire/byte_buffer.h"
#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::sim {
namespace {

using coordinator::GroupResponse;
using protocol::ErrorCode;

constexpr std::array kTopics = {"orders", "payments", "audit"};
constexpr std::int32_t kSessionTimeoutMs = 10'000;
constexpr std::int32_t kRebalanceTimeoutMs = 30'000;
// Of a client that waits for a join or a sync: longer than a rebalance may take.
constexpr Duration kRequestTimeout{40'000};

// With the version in front, as the embedded messages of the consumer protocol are written.
template <typename Message>
protocol::Bytes encode(const Message& message) {
  protocol::ByteBuffer buffer;
  protocol::ByteWriter writer(buffer);
  writer.int16(1);
  write(writer, message, 1);
  return protocol::Bytes::copy_of(buffer.view());
}

}  // namespace

ClassicMember::ClassicMember(World& world, Server& server, OffsetsClient& offsets, const bool& night, std::string group,
                             std::string name)
    : world_(world),
      server_(server),
      offsets_(offsets),
      night_(night),
      group_(std::move(group)),
      name_(std::move(name)),
      is_static_(world.chance(0.3)),
      join_version_(static_cast<std::int16_t>(is_static_ ? world.pick(5, 9) : world.pick(0, 9))) {}

void ClassicMember::start() {
  later(world_.delay(0, 3'000));
}

void ClassicMember::later(Duration delay) {
  world_.after(delay, [this] { live(); });
}

void ClassicMember::set_phase(Phase phase) {
  phase_ = phase;
  ++request_;
}

void ClassicMember::forget() {
  set_phase(Phase::kOut);
  id_.clear();
  generation_ = old_generation_ = -1;
  owned_.clear();
}

// ---- a day in its life ----

void ClassicMember::live() {
  if (night_) {
    if (!id_.empty()) leave();
    return later(world_.delay(30'000, 600'000));
  }
  if (meet_fate()) return;
  if (phase_ == Phase::kOut) {
    join();
  } else if (phase_ == Phase::kIn) {
    heartbeat();
    use_offsets();
  }
  later(world_.delay(500, 3'000));
}

bool ClassicMember::meet_fate() {
  if (world_.chance(0.01)) {
    world_.count("fault: classic member dies");
    forget();
    later(world_.delay(0, 60'000));
    return true;
  }
  if (world_.chance(0.01)) {
    world_.count("fault: classic member pauses");
    later(world_.delay(5'000, 60'000));
    return true;
  }
  if (world_.chance(0.01) && !id_.empty()) {
    leave();
    later(world_.delay(0, 30'000));
    return true;
  }
  if (world_.chance(0.02)) subscribed_ = static_cast<int>(world_.pick(1, std::ssize(kTopics)));
  if (world_.chance(0.01) && phase_ == Phase::kIn) set_phase(Phase::kOut);  // joins again, to bring about a rebalance
  return false;
}

void ClassicMember::leave() {
  coordinator::LeaveGroup call;
  call.request.group_id = group_;
  auto& who = call.request.members.emplace_back();
  const bool by_instance = is_static_ && world_.chance(0.5);
  if (!by_instance) who.member_id = id_;
  if (is_static_) who.group_instance_id = protocol::Text(name_);
  world_.count("classic member: leaves");
  server_.request(group_, call, [this](const GroupResponse& response) {
    if (is_refused(world_, "leave", response)) return;
    count_answer(world_, "leave", std::get<protocol::LeaveGroupResponse>(response).members.at(0).error_code,
                 {ErrorCode::kUnknownMemberId, ErrorCode::kFencedInstanceId});
  });
  forget();
}

void ClassicMember::use_offsets() {
  if (owned_.empty() || !world_.chance(0.5)) return;
  const auto& [id, partitions] = *std::next(owned_.begin(), world_.pick(0, std::ssize(owned_) - 1));
  const auto* topic = server_.topics().find(id);
  if (topic == nullptr || partitions.empty()) return;
  const auto partition = partitions[static_cast<std::size_t>(world_.pick(0, std::ssize(partitions) - 1))];
  const bool is_late = old_generation_ > 0 && world_.chance(0.1);
  if (is_late) world_.count("fault: commit with an old generation");
  offsets_.commit(group_, {.id = id_, .epoch = is_late ? old_generation_ : generation_, .is_classic = true}, *topic,
                  partition);
}

// ---- joining ----

// No answer: what it waited for is lost, and it asks again.
void ClassicMember::give_up_waiting() {
  world_.after(kRequestTimeout, [this, number = request_] {
    if (number == request_) set_phase(Phase::kOut);
  });
}

protocol::Bytes ClassicMember::subscription() const {
  protocol::ConsumerProtocolSubscription subscription;
  for (int i = 0; i < subscribed_; ++i) subscription.topics.emplace_back(kTopics[static_cast<std::size_t>(i)]);
  return encode(subscription);
}

bool ClassicMember::has(const protocol::TopicId& topic, std::int32_t partition) const {
  const auto it = owned_.find(topic);
  return it != owned_.end() && std::ranges::find(it->second, partition) != it->second.end();
}

void ClassicMember::join() {
  set_phase(Phase::kJoining);
  owned_.clear();  // an eager consumer gives up everything before it joins
  coordinator::JoinGroup call;
  call.client = {.client_id = name_, .client_host = "/127.0.0.1"};
  call.version = join_version_;
  auto& request = call.request;
  request.group_id = group_;
  request.session_timeout_ms = kSessionTimeoutMs;
  request.rebalance_timeout_ms = kRebalanceTimeoutMs;
  request.member_id = id_;
  if (is_static_) request.group_instance_id = protocol::Text(name_);
  request.protocol_type = "consumer";
  for (const char* protocol : {"range", "sticky"}) {
    if (request.protocols.empty() || world_.chance(0.8)) {
      request.protocols.push_back({.name = protocol, .metadata = subscription()});
    }
  }
  server_.request(group_, call, [this, number = request_](const GroupResponse& response) {
    if (number != request_ || is_lost(world_, "join")) return;
    set_phase(Phase::kOut);
    on_join(response);
  });
  give_up_waiting();
}

void ClassicMember::on_join(const GroupResponse& response) {
  if (is_refused(world_, "join", response)) return;
  const auto& joined = std::get<protocol::JoinGroupResponse>(response);
  count_answer(
      world_, "join", joined.error_code,
      {ErrorCode::kMemberIdRequired, ErrorCode::kUnknownMemberId, ErrorCode::kFencedInstanceId,
       ErrorCode::kInconsistentGroupProtocol, ErrorCode::kGroupMaxSizeReached, ErrorCode::kRebalanceInProgress});
  world_.trace(fmt::format("{} {} '{}' joins -> error {} generation {} id {}", group_, name_, id_, joined.error_code,
                           joined.generation_id, joined.member_id.view()));
  if (static_cast<ErrorCode>(joined.error_code) == ErrorCode::kMemberIdRequired) {
    id_ = joined.member_id.str();
    return join();
  }
  if (joined.error_code != 0) return on_error(joined.error_code);
  id_ = joined.member_id.str();
  if (joined.generation_id != generation_) old_generation_ = generation_;
  generation_ = joined.generation_id;
  sync(joined);
}

std::vector<protocol::SyncGroupRequest::SyncGroupRequestAssignment> ClassicMember::share_out(
    const protocol::JoinGroupResponse& joined) const {
  const bool leads = joined.leader == joined.member_id && !joined.members.empty() && !joined.skip_assignment;
  if (!leads) return {};
  std::vector<protocol::ConsumerProtocolAssignment> shares(joined.members.size());
  std::size_t next = 0;
  for (int i = 0; i < subscribed_; ++i) {
    const std::string_view name = kTopics[static_cast<std::size_t>(i)];
    const auto* topic = server_.topics().find(name);
    if (topic == nullptr) continue;
    for (std::int32_t partition = 0; partition < topic->partitions; ++partition) {
      auto& share = shares[next++ % shares.size()].assigned_partitions;
      if (share.empty() || share.back().topic != name) share.emplace_back().topic = name;
      share.back().partitions.push_back(partition);
    }
  }
  std::vector<protocol::SyncGroupRequest::SyncGroupRequestAssignment> assignments;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    assignments.push_back({.member_id = joined.members[i].member_id, .assignment = encode(shares[i])});
  }
  return assignments;
}

void ClassicMember::sync(const protocol::JoinGroupResponse& joined) {
  set_phase(Phase::kSyncing);
  coordinator::SyncGroup call;
  call.version = 4;
  call.request.group_id = group_;
  call.request.generation_id = generation_;
  call.request.member_id = id_;
  if (is_static_) call.request.group_instance_id = protocol::Text(name_);
  call.request.assignments = share_out(joined);
  if (!call.request.assignments.empty()) world_.count("classic member: shares out");
  server_.request(group_, call, [this, number = request_](const GroupResponse& response) {
    if (number != request_ || is_lost(world_, "sync")) return;
    set_phase(Phase::kOut);
    on_sync(response);
  });
  give_up_waiting();
}

void ClassicMember::on_sync(const GroupResponse& response) {
  if (is_refused(world_, "sync", response)) return;
  const auto& synced = std::get<protocol::SyncGroupResponse>(response);
  count_answer(world_, "sync", synced.error_code,
               {ErrorCode::kUnknownMemberId, ErrorCode::kFencedInstanceId, ErrorCode::kIllegalGeneration,
                ErrorCode::kRebalanceInProgress});
  world_.trace(fmt::format("{} {} '{}' syncs {} -> error {}", group_, name_, id_, generation_, synced.error_code));
  if (synced.error_code != 0) return on_error(synced.error_code);
  // By the leader of a classic group, or by a consumer group.
  const Shadow& shadow = server_.shadow_of(group_);
  const bool by_leader = shadow.has_shared_out(group_, generation_, id_, synced.assignment);
  if (!by_leader && !shadow.has_reached(id_, generation_)) {
    throw Violation(fmt::format("{} was given what no durable record of generation {} gives it", id_, generation_));
  }
  set_phase(Phase::kIn);
  take(synced.assignment, by_leader);
}

void ClassicMember::take(const protocol::Bytes& bytes, bool by_leader) {
  owned_.clear();
  if (bytes.empty()) return;
  protocol::ByteReader reader(bytes.view());
  reader.int16();
  protocol::ConsumerProtocolAssignment assignment;
  read(reader, assignment, 1);
  for (const auto& of_topic : assignment.assigned_partitions) {
    // A name may stand for another topic by now than when the partitions were given.
    const auto* topic = server_.topics().find(of_topic.topic.view());
    if (topic == nullptr) continue;
    for (const std::int32_t partition : of_topic.partitions) {
      if (by_leader || server_.shadow_of(group_).was_assigned(id_, topic->id, partition)) {
        owned_[topic->id].push_back(partition);
      }
    }
  }
}

// ---- staying ----

void ClassicMember::heartbeat() {
  coordinator::ClassicHeartbeat call;
  call.request.group_id = group_;
  call.request.generation_id = generation_;
  call.request.member_id = id_;
  if (is_static_) call.request.group_instance_id = protocol::Text(name_);
  server_.request(group_, call, [this, number = request_](const GroupResponse& response) {
    if (number != request_ || is_lost(world_, "classic heartbeat")) return;
    if (is_refused(world_, "classic heartbeat", response)) return;
    const std::int16_t error = std::get<protocol::HeartbeatResponse>(response).error_code;
    count_answer(world_, "classic heartbeat", error,
                 {ErrorCode::kUnknownMemberId, ErrorCode::kFencedInstanceId, ErrorCode::kIllegalGeneration,
                  ErrorCode::kRebalanceInProgress});
    if (error != 0) on_error(error);
  });
}

void ClassicMember::on_error(std::int16_t error) {
  switch (static_cast<ErrorCode>(error)) {
    case ErrorCode::kUnknownMemberId:
    case ErrorCode::kFencedInstanceId:
    case ErrorCode::kInconsistentGroupProtocol:
    case ErrorCode::kGroupMaxSizeReached:
      return forget();
    default:
      return set_phase(Phase::kOut);  // joins with the next turn
  }
}

}  // namespace cohort::sim
