// How long an assignment takes that the shard's thread or a worker has to wait for.
// Prints the best and the median of some runs in milliseconds, per assignor and kind of group.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "server/coordinator/assignors/assignor.h"

namespace {

using namespace cohort::coordinator;
using cohort::protocol::MemberId;
using cohort::protocol::TopicId;
using cohort::protocol::Uuid;

struct Case {
  const char* assignor;
  std::size_t members;
  std::size_t topics;
  std::int32_t partitions_per_topic;
  SubscriptionType type;
};

GroupSpec make_group(const Case& wanted) {
  GroupSpec spec;
  spec.type = wanted.type;
  std::vector<TopicId> ids;
  for (std::size_t n = 0; n < wanted.topics; ++n) {
    ids.emplace_back(Uuid(n * 0x9e3779b97f4a7c15U, n));
    spec.partitions[ids.back()] = wanted.partitions_per_topic;
  }
  std::ranges::sort(ids);
  const auto all = std::make_shared<const std::vector<TopicId>>(ids);
  for (std::size_t n = 0; n < wanted.members; ++n) {
    SubscribedTopics topics = all;
    if (wanted.type == SubscriptionType::kHeterogeneous) {  // each leaves out one topic in ten, another one each
      auto some = std::make_shared<std::vector<TopicId>>();
      for (std::size_t t = 0; t < ids.size(); ++t) {
        if ((t + n) % 10 != 0) some->push_back(ids[t]);
      }
      topics = std::move(some);
    }
    spec.members.push_back({MemberId(fmt::format("member-{:028}", n)), std::nullopt, std::move(topics), {}});
  }
  return spec;
}

void measure(const Case& wanted) {
  const PartitionAssignor& assignor = *find_assignor(wanted.assignor);
  GroupSpec spec = make_group(wanted);
  for (const char* situation : {"first", "one left"}) {
    std::vector<double> times_ms;
    GroupAssignment result;
    for (int run = 0; run < 21; ++run) {
      const auto start = std::chrono::steady_clock::now();
      GroupAssignment computed = assignor.assign(spec);
      times_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
      result = std::move(computed);
    }
    std::ranges::sort(times_ms);
    fmt::print("{:8} {:14} {:6} members {:5} topics {:7} partitions, {:8}: best {:7.2f} ms, median {:7.2f} ms\n",
               wanted.assignor, wanted.type == SubscriptionType::kHomogeneous ? "homogeneous" : "heterogeneous",
               wanted.members, wanted.topics, wanted.topics * static_cast<std::size_t>(wanted.partitions_per_topic),
               situation, times_ms.front(), times_ms[times_ms.size() / 2]);
    for (MemberSpec& member : spec.members) member.target = std::move(result.members.at(member.id));
    spec.members.erase(spec.members.begin() + static_cast<std::ptrdiff_t>(spec.members.size() / 2));
  }
}

}  // namespace

int main() {
  using enum SubscriptionType;
  for (const char* assignor : {"uniform", "range"}) {
    measure({assignor, 1000, 1, 50000, kHomogeneous});
    measure({assignor, 1000, 100, 500, kHomogeneous});
    measure({assignor, 1000, 1000, 50, kHomogeneous});
    measure({assignor, 1000, 1000, 50, kHeterogeneous});
  }
}
