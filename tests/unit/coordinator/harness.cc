#include "tests/unit/coordinator/harness.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "protocol/wire/byte_buffer.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator::testing {
namespace {

void require(bool condition, const std::string& rule) {
  if (!condition) throw std::runtime_error("broken rule: " + rule);
}

std::optional<protocol::Text> text(const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  return protocol::Text(*value);
}

}  // namespace

config::GroupConfig exact_config() {
  config::GroupConfig config;
  config.consumer_assignment_interval = Duration::zero();
  config.consumer_assignor_offload = false;
  return config;
}

Harness::Harness(config::GroupConfig config)
    : config_(std::move(config)), now_{MonoTime(Duration(1'000'000)), 1'700'000'000'000} {
  live_ = std::make_unique<GroupCoordinator>(config_);
  shadow_ = std::make_unique<GroupCoordinator>(config_);
  publish();
  live_->on_loaded(context(), output_);
  finish_step();
}

// --- topics ---

void Harness::publish() {
  std::vector<TopicView> topics;
  for (const auto& [name, topic] : topics_) topics.push_back(topic);
  metadata_ = std::make_shared<MetadataView>(++metadata_version_, std::move(topics), overrides_);
}

void Harness::topic_unseen(const std::string& name, std::int32_t partitions) {
  const auto [it, is_new] = topics_.try_emplace(name);
  if (is_new) {
    it->second = {protocol::TopicId(protocol::Uuid(1, ++topics_made_)), protocol::TopicName(name), partitions};
    names_[it->second.id.value()] = name;
  }
  it->second.partitions = partitions;
  publish();
}

void Harness::topic(const std::string& name, std::int32_t partitions) {
  topic_unseen(name, partitions);
  live_->on_metadata(context(), output_);
  finish_step();
}

void Harness::replace_topic(const std::string& name, std::int32_t partitions) {
  topics_.erase(name);
  topic(name, partitions);
}

void Harness::drop_topic_unseen(const std::string& name) {
  topics_.erase(name);
  publish();
}

void Harness::drop_topic(const std::string& name) {
  drop_topic_unseen(name);
  live_->on_metadata(context(), output_);
  finish_step();
}

void Harness::override_group(const std::string& group, GroupOverrides overrides) {
  overrides_[protocol::GroupId(group)] = overrides;
  publish();
  live_->on_metadata(context(), output_);
  finish_step();
}

std::string Harness::topic_name(const protocol::Uuid& id) const {
  const auto it = names_.find(id);
  return it != names_.end() ? it->second : id.to_string();
}

// --- requests ---

ConsumerHeartbeat Harness::beating(const std::string& member, std::int32_t epoch, const Said& said) const {
  ConsumerHeartbeat heartbeat;
  heartbeat.version = said.version;
  heartbeat.client = {protocol::Text(said.client_id), protocol::Text("/127.0.0.1")};
  auto& request = heartbeat.request;
  request.group_id = protocol::Text(said.group);
  request.member_id = protocol::Text(member);
  request.member_epoch = epoch;
  request.instance_id = text(said.instance);
  request.rack_id = text(said.rack);
  request.rebalance_timeout_ms = said.rebalance_timeout_ms;
  if (said.topics) {
    request.subscribed_topic_names.emplace();
    for (const auto& name : *said.topics) request.subscribed_topic_names->emplace_back(name);
  }
  request.subscribed_topic_regex = text(said.regex);
  request.server_assignor = text(said.assignor);
  if (said.owned) {
    request.topic_partitions.emplace();
    for (const auto& [name, partitions] : *said.owned) {
      auto& entry = request.topic_partitions->emplace_back();
      entry.topic_id = topics_.at(name).id.value();
      entry.partitions = partitions;
    }
  }

  return heartbeat;
}

Answer Harness::ask(const ConsumerHeartbeat& heartbeat) {
  const auto response = std::get<protocol::ConsumerGroupHeartbeatResponse>(request(heartbeat));
  Answer answer;
  answer.error = static_cast<ErrorCode>(response.error_code);
  if (response.error_message) answer.message = response.error_message->str();
  if (response.member_id) answer.member = response.member_id->str();
  answer.epoch = response.member_epoch;
  answer.interval_ms = response.heartbeat_interval_ms;
  answer.after = last_after_;
  if (response.assignment) {
    answer.assignment.emplace();
    for (const auto& topic : response.assignment->topic_partitions) {
      (*answer.assignment)[topic_name(topic.topic_id)] = topic.partitions;
    }
  }
  return answer;
}

ConsumerHeartbeat Harness::joining(const std::string& member, Said said) const {
  if (said.rebalance_timeout_ms == -1) said.rebalance_timeout_ms = 60'000;
  if (!said.owned) said.owned.emplace();
  return beating(member, 0, said);
}

Answer Harness::beat(const std::string& member, std::int32_t epoch, const Said& said) {
  return ask(beating(member, epoch, said));
}

Answer Harness::join(const std::string& member, Said said) {
  return ask(joining(member, std::move(said)));
}

Answer Harness::leave(const std::string& member, const Said& said) {
  return beat(member, -1, said);
}

Answer Harness::leave_for_a_while(const std::string& member, const std::string& instance, Said said) {
  said.instance = instance;
  return beat(member, -2, said);
}

GroupResponse Harness::request(const GroupRequest& request) {
  return answer(send(request));
}

ReplyToken Harness::send(const GroupRequest& request) {
  const ReplyToken token(++tokens_);
  open_.insert(token);
  live_->handle(token, request, context(), output_);
  finish_step();
  return token;
}

GroupResponse Harness::answer(ReplyToken token) {
  require(is_answered(token), "there is an answer");
  return std::move(answers_.extract(token).mapped());
}

protocol::ConsumerGroupDescribeResponse::DescribedGroup Harness::describe(const std::string& id) {
  return coordinator::describe(protocol::GroupId(id), group(id), *metadata_, config_.consumer_assignors.front());
}

// --- time and jobs ---

void Harness::sleep(Duration duration) {
  const MonoTime end = now_.mono + duration;
  const auto move_to = [this](MonoTime time) {
    now_.wall_ms += (time - now_.mono).count();
    now_.mono = time;
  };
  while (true) {
    const auto next = std::ranges::min_element(timers_, {}, [](const auto& timer) { return timer.second; });
    if (next == timers_.end() || next->second > end) break;
    const TimerKey key = next->first;
    if (next->second > now_.mono) move_to(next->second);
    timers_.erase(next);
    live_->on_timer(key, context(), output_);
    largest_step_ = std::max(largest_step_, output_.records.size());
    finish_step();
  }
  move_to(end);
}

void Harness::run_jobs() {
  std::vector<Job> jobs = std::exchange(jobs_, {});
  for (Job& job : jobs) {
    live_->on_job(job.run({}), context(), output_);
    finish_step();
  }
}

std::optional<Duration> Harness::deadline(TimerKind kind, const std::string& member, const std::string& group) const {
  const auto it = timers_.find({kind, protocol::GroupId(group), protocol::MemberId(member)});
  if (it == timers_.end()) return std::nullopt;
  return it->second - now_.mono;
}

// --- what came of it ---

Lines Harness::records() {
  return std::exchange(lines_, {});
}

const ConsumerGroup& Harness::group(const std::string& id) const {
  const ConsumerGroup* group = state().find_consumer_group(id);
  require(group != nullptr, "the group is there");
  return *group;
}

const Round& Harness::round(const std::string& id) const {
  return round_of(state(), id);
}

const ConsumerMember& Harness::member(const std::string& id, const std::string& group_id) const {
  const ConsumerMember* member = group(group_id).find_member(id);
  require(member != nullptr, "the member is there");
  return *member;
}

Owned Harness::by_name(const OwnedPartitions& owned) const {
  Owned result;
  for (const auto& [topic, partitions] : owned) {
    for (const auto& partition : partitions) result[topic_name(topic.value())].push_back(partition.partition);
  }
  return result;
}

Owned Harness::assigned(const std::string& member_id, const std::string& group_id) const {
  return by_name(member(member_id, group_id).assigned);
}

// --- a step ---

void Harness::note_answers() {
  for (auto& reply : output_.replies) {
    require(open_.erase(reply.token) == 1, "a request is answered once");
    require(reply.after <= last_offset(), "an answer rests on a record that there is");
    last_after_ = reply.after;
    answers_.emplace(reply.token, std::move(reply.response));
  }
}

void Harness::refuse_step(ErrorCode error) {
  for (auto& reply : output_.replies) reply.response = Refused{.error = error, .message = ""};
  note_answers();
  const auto records = std::move(output_.records);
  output_.clear();
  live_->on_refused(records, error, context(), output_);
  require(output_.records.empty(), "a refusal writes nothing");
}

void Harness::finish_step() {
  if (refuse_next_ && !output_.records.empty()) refuse_step(*std::exchange(refuse_next_, std::nullopt));
  note_answers();
  for (const auto& record : output_.records) {
    lines_.push_back(brief(record));
    log_and_apply(record);
  }
  for (const auto& operation : output_.timers) {
    if (const auto* set = std::get_if<SetTimer>(&operation)) {
      timers_[set->key] = set->deadline;
    } else {
      timers_.erase(std::get<CancelTimer>(operation).key);
    }
  }
  for (auto& job : output_.jobs) jobs_.push_back(std::move(job));
  output_.clear();
  verify();
}

void Harness::log_and_apply(const protocol::GroupRecord& record) {
  protocol::ByteBuffer key;
  protocol::ByteBuffer value;
  const auto has_value = protocol::write_group_record(record, key, value);
  require(has_value.has_value(), "a record can be written");
  LogRecord& logged = log_.emplace_back();
  logged.key.assign(key.view().begin(), key.view().end());
  if (*has_value) logged.value.emplace(value.view().begin(), value.view().end());
  for (GroupCoordinator* coordinator : {live_.get(), shadow_.get()}) {
    const auto applied = coordinator->apply(coordinator == live_.get() ? record : decode(logged), last_offset());
    require(applied.has_value(), applied ? "" : applied.error().message);
  }
  std::erase_if(epochs_, [this](const auto& entry) { return state().find_consumer_group(entry.first) == nullptr; });
}

protocol::GroupRecord Harness::decode(const LogRecord& record) {
  std::optional<std::span<const std::byte>> value;
  if (record.value) value = *record.value;
  auto decoded = protocol::parse_group_record(record.key, value);
  require(decoded.has_value(), "a record that was written can be read");
  return *decoded;
}

void Harness::append(const protocol::GroupRecord& record) {
  log_and_apply(record);
}

Result<void> Harness::try_append(const protocol::GroupRecord& record) {
  return live_->apply(record, last_offset() + 1);
}

void Harness::restart(bool compact) {
  if (compact) {
    std::map<std::vector<std::byte>, std::size_t> last;
    for (std::size_t i = 0; i < log_.size(); ++i) last[log_[i].key] = i;
    live_ = std::make_unique<GroupCoordinator>(config_);
    for (std::size_t i = 0; i < log_.size(); ++i) {
      if (last[log_[i].key] != i) continue;
      const auto applied = live_->apply(decode(log_[i]), static_cast<std::int64_t>(i));
      require(applied.has_value(), applied ? "" : applied.error().message);
    }
  } else {
    live_ = std::make_unique<GroupCoordinator>(config_);
    for (std::size_t i = 0; i < log_.size(); ++i) {
      const auto applied = live_->apply(decode(log_[i]), static_cast<std::int64_t>(i));
      require(applied.has_value(), applied ? "" : applied.error().message);
    }
  }
  timers_.clear();
  jobs_.clear();
  open_.clear();  // refused by the shard
  live_->on_loaded(context(), output_);
  finish_step();
}

// --- rules ---

void Harness::verify() {
  const std::string live = dump(live_->state());
  const std::string shadow = dump(shadow_->state());
  require(live == shadow, "records alone make the state; live:\n" + live + "shadow:\n" + shadow);
  for (const auto& [id, group] : state().consumer_groups) {
    // C1: a partition has at most one owner, and the table of owners says the same as the members.
    std::set<std::pair<protocol::TopicId, std::int32_t>> owned;
    for (const auto& [member_id, member] : group.members) {
      for (const auto* part : {&member.assigned, &member.pending_revocation}) {
        for (const auto& [topic, partitions] : *part) {
          require(!partitions.empty(), "no empty lists");
          for (const auto& one : partitions) {
            require(owned.emplace(topic, one.partition).second, "a partition has one owner");
            const auto epoch = group.partition_epochs.find({topic, one.partition});
            require(epoch != group.partition_epochs.end() && epoch->second == member.epoch, "owners are known");
          }
        }
      }
      // C10: every member has a session timer.
      require(timers_.contains({TimerKind::kConsumerSession, id, member_id}), "a member has a session timer");
      require(member.state != MemberState::kUnrevokedPartitions || member.classic ||
                  timers_.contains({TimerKind::kConsumerRebalance, id, member_id}),
              "a member that must give up partitions has a rebalance timer");
    }
    require(owned.size() == group.partition_epochs.size(), "no owner is left over");
    verify_epochs(id.value(), group);
  }
  verify_rounds();
  for (const auto& [key, deadline] : timers_) require(has_owner(key), "a timer has an owner");
}

bool Harness::has_owner(const TimerKey& key) const {
  const std::string_view member = key.member.value();
  const auto round = state().soft.rounds.find(key.group.value());
  const ConsumerGroup* group = state().find_consumer_group(key.group.value());
  switch (key.kind) {
    case TimerKind::kOffsetExpiration:
      return true;
    case TimerKind::kConsumerSession:
    case TimerKind::kConsumerRebalance:
    case TimerKind::kConsumerJoin:
    case TimerKind::kConsumerSync:
      return group != nullptr && group->find_member(member) != nullptr;
    case TimerKind::kClassicSession:
      return round != state().soft.rounds.end() &&
             (round->second.find(member) != nullptr || round->second.pending().contains(member));
    case TimerKind::kClassicJoin:
      return round != state().soft.rounds.end() && round->second.is(ClassicGroupState::kPreparingRebalance);
    case TimerKind::kClassicSync:
      return round != state().soft.rounds.end() && !round->second.have_all_synced();
  }
  return false;
}

// Classic groups and rounds belong together; who can be waited for has a timer (C10).
void Harness::verify_rounds() {
  require(state().soft.rounds.size() == state().classic_groups.size(), "a classic group has a round");
  for (const auto& [id, round] : state().soft.rounds) {
    require(state().classic_groups.contains(id.value()), "a round has a classic group");
    require(round.is(ClassicGroupState::kPreparingRebalance) || round.joined() == 0, "joins wait for a rebalance only");
    require(round.is(ClassicGroupState::kEmpty) ? round.members().empty() : true, "an empty group has no members");
    require(round.members().empty() || round.leader().has_value(), "a group with members has a leader");
    require(!round.leader() || round.find(round.leader()->value()) != nullptr, "the leader is a member");
    for (const auto& [member_id, member] : round.members()) {
      const bool waits = !member.is_new && (member.has_joined() || member.sync);
      require(waits || timers_.contains({TimerKind::kClassicSession, id, member_id}), "a member has a session timer");
      require(!member.sync || round.is(ClassicGroupState::kCompletingRebalance), "syncs wait for the leader only");
    }
    for (const auto& [member_id, session] : round.pending()) {
      require(timers_.contains({TimerKind::kClassicSession, id, member_id}), "an id that was given out has a timer");
    }
    require(!round.is(ClassicGroupState::kPreparingRebalance) || timers_.contains({TimerKind::kClassicJoin, id, {}}),
            "a wait for joins has a timer");
    require(round.have_all_synced() || timers_.contains({TimerKind::kClassicSync, id, {}}),
            "a wait for syncs has a timer");
  }
}

// C2: group epoch >= assignment epoch >= every member's epoch, and they never fall.
void Harness::verify_epochs(const std::string& id, const ConsumerGroup& group) {
  require(group.epoch >= group.assignment_epoch, "the group's epoch is not behind its assignment's");
  for (const auto& [member_id, member] : group.members) {
    require(member.epoch.value() <= group.assignment_epoch.value(), "a member is not ahead of the assignment");
  }
  Epochs& last = epochs_[id];
  require(group.epoch.value() >= last.group, "a group's epoch never falls");
  require(group.assignment_epoch.value() >= last.assignment, "an assignment epoch never falls");
  last = {group.epoch.value(), group.assignment_epoch.value()};
}

}  // namespace cohort::coordinator::testing
