#include "tests/sim/admin.h"

#include <fmt/format.h>

#include <iterator>
#include <variant>

namespace cohort::sim {
namespace {

using coordinator::GroupResponse;
using protocol::ErrorCode;

}  // namespace

Admin::Admin(World& world, Server& server, Ledger& ledger, OffsetsClient& offsets, const bool& night,
             const std::vector<std::string>& groups)
    : world_(world), server_(server), ledger_(ledger), offsets_(offsets), night_(night), groups_(groups) {
  for (int i = 0; i < 3; ++i) groups_.push_back(fmt::format("simple-{}", i));
}

void Admin::later() {
  world_.after(night_ ? world_.delay(30'000, 600'000) : world_.delay(50, 5'000), [this] { act(); });
}

void Admin::act() {
  const std::string& group = groups_[static_cast<std::size_t>(world_.pick(0, std::ssize(groups_) - 1))];
  const auto& topics = server_.topics().topics();
  const auto& topic = topics[static_cast<std::size_t>(world_.pick(0, std::ssize(topics) - 1))];
  const auto partition = static_cast<std::int32_t>(world_.pick(0, topic.partitions - 1));
  const std::int64_t what = world_.pick(0, 99);
  if (what < 35)
    offsets_.commit(group, {}, topic, partition);
  else if (what < 65)
    offsets_.fetch(group, {}, topic, partition);
  else if (what < 75)
    offsets_.remove(group, topic, partition);
  else if (what < 80)
    remove_group(group);
  else if (what < 87)
    list();
  else if (what < 94)
    describe(group);
  else
    describe_classic(group);
  later();
}

// What is shown is judged by Shadow::check_shown.
void Admin::list() {
  const auto shard = static_cast<std::size_t>(world_.pick(0, static_cast<std::int64_t>(server_.shards()) - 1));
  server_.request_of_shard(shard, coordinator::ListGroups{}, [this](const GroupResponse& response) {
    if (is_refused(world_, "list", response)) return;
    world_.count("list: 0");
    for (const auto& group : std::get<coordinator::ListedGroups>(response)) {
      world_.count(fmt::format("listed: {} {}", group.group_type.view(), group.group_state.view()));
    }
  });
}

void Admin::describe(const std::string& group) {
  coordinator::DescribeConsumerGroups call;
  call.groups.emplace_back(group);
  const Shadow::Lives sent = server_.shadow_of(group).group(group);
  server_.request(group, call, [this, group, sent](const GroupResponse& response) {
    if (is_refused(world_, "describe", response)) return;
    const auto& described = std::get<coordinator::ConsumerGroupDescriptions>(response).at(0);
    count_answer(world_, "describe", described.error_code, {ErrorCode::kGroupIdNotFound});
    const Shadow::Lives now = server_.shadow_of(group).group(group);
    if (described.error_code != 0 && sent.is_there && now.is_there && now.count == sent.count) {
      throw Violation(fmt::format("{} is there, and was said not to be", group));
    }
    if (described.error_code == 0 && !sent.is_there && !now.is_there && now.count == sent.count) {
      throw Violation(fmt::format("{} is not there, and was said to be", group));
    }
  });
}

void Admin::describe_classic(const std::string& group) {
  coordinator::DescribeClassicGroups call;
  call.groups.emplace_back(group);
  call.version = 6;
  server_.request(group, call, [this](const GroupResponse& response) {
    if (is_refused(world_, "describe classic", response)) return;
    count_answer(world_, "describe classic", std::get<coordinator::ClassicGroupDescriptions>(response).at(0).error_code,
                 {ErrorCode::kGroupIdNotFound});
  });
}

void Admin::remove_group(const std::string& group) {
  coordinator::DeleteGroups call;
  call.groups.emplace_back(group);
  const std::int64_t number = ledger_.remove_group(group);
  server_.request(group, call, [this, group, number](const GroupResponse& response) {
    if (is_lost(world_, "delete group") || is_refused(world_, "delete group", response)) return;
    const std::int16_t error = std::get<coordinator::DeletedGroups>(response).at(0).error_code;
    count_answer(world_, "delete group", error, {ErrorCode::kNonEmptyGroup, ErrorCode::kGroupIdNotFound});
    if (error == 0) return ledger_.group_removed(group, number);
    ledger_.group_not_removed(group, number);
  });
}

}  // namespace cohort::sim
