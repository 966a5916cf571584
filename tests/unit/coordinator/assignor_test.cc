// Assignors: small cases by hand, then properties over random groups that change step by step.
#include "server/coordinator/assignors/assignor.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace cohort::coordinator {
namespace {

using protocol::InstanceId;
using protocol::MemberId;
using protocol::TopicId;
using protocol::Uuid;

TopicId topic(std::uint64_t number) {
  return TopicId(Uuid(0, number));
}

SubscribedTopics topics(std::vector<std::uint64_t> numbers) {
  auto ids = std::make_shared<std::vector<TopicId>>();
  for (const std::uint64_t number : numbers) ids->push_back(topic(number));
  return ids;
}

MemberSpec member(std::string id, SubscribedTopics subscribed, PartitionsByTopic target = {}) {
  return {MemberId(std::move(id)), std::nullopt, std::move(subscribed), std::move(target)};
}

MemberSpec static_member(std::string id, std::string instance, SubscribedTopics subscribed) {
  return {MemberId(std::move(id)), InstanceId(std::move(instance)), std::move(subscribed), {}};
}

GroupAssignment assign(std::string_view assignor, const GroupSpec& spec) {
  const PartitionAssignor* found = find_assignor(assignor);
  REQUIRE(found != nullptr);
  return found->assign(spec);
}

using Parts = PartitionsByTopic;

Parts of(const GroupAssignment& assignment, const std::string& id) {
  return assignment.members.at(MemberId(id));
}

std::size_t count(const Parts& parts) {
  std::size_t total = 0;
  for (const auto& [id, partitions] : parts) total += partitions.size();
  return total;
}

}  // namespace

TEST_CASE("assignors are found by Kafka's names") {
  CHECK(find_assignor("uniform")->name() == "uniform");
  CHECK(find_assignor("range")->name() == "range");
  CHECK(find_assignor("Range") == nullptr);
  CHECK(find_assignor("") == nullptr);
}

TEST_CASE("a group without members or topics has nothing to assign") {
  for (const char* name : {"range", "uniform"}) {
    for (const auto type : {SubscriptionType::kHomogeneous, SubscriptionType::kHeterogeneous}) {
      CHECK(assign(name, {{}, {{topic(1), 3}}, type}).members.empty());
      const auto nothing = assign(name, {{member("a", topics({}))}, {}, type});
      CHECK(nothing.members.size() == 1);
      CHECK(of(nothing, "a").empty());
    }
  }
}

TEST_CASE("range: contiguous ranges, the first members get the rest, equal topics are co-partitioned") {
  const auto both = topics({1, 2});
  const auto result = assign("range", {{member("a", both), member("b", both)}, {{topic(1), 3}, {topic(2), 3}}});
  CHECK(of(result, "a") == Parts{{topic(1), {0, 1}}, {topic(2), {0, 1}}});
  CHECK(of(result, "b") == Parts{{topic(1), {2}}, {topic(2), {2}}});
}

TEST_CASE("range: static members come first, by instance id") {
  const auto one = topics({1});
  GroupSpec spec{{member("a", one), static_member("m1", "i2", one), static_member("m2", "i1", one)}, {{topic(1), 3}}};
  const auto result = assign("range", spec);
  CHECK(of(result, "m2") == Parts{{topic(1), {0}}});
  CHECK(of(result, "m1") == Parts{{topic(1), {1}}});
  CHECK(of(result, "a") == Parts{{topic(1), {2}}});

  // After a rolling restart under other member ids the instances have what they had.
  spec.members = {static_member("n1", "i1", one), static_member("n2", "i2", one), member("z", one)};
  const auto again = assign("range", spec);
  CHECK(of(again, "n1") == of(result, "m2"));
  CHECK(of(again, "n2") == of(result, "m1"));
}

TEST_CASE("range: more members than partitions leaves the last ones without") {
  const auto one = topics({1});
  const auto result = assign("range", {{member("a", one), member("b", one), member("c", one)}, {{topic(1), 2}}});
  CHECK(of(result, "a") == Parts{{topic(1), {0}}});
  CHECK(of(result, "b") == Parts{{topic(1), {1}}});
  CHECK(of(result, "c").empty());
}

TEST_CASE("range: with different subscriptions each topic is divided among its own subscribers") {
  const auto result =
      assign("range", {{member("a", topics({1, 2})), member("b", topics({3})), member("c", topics({2, 3}))},
                       {{topic(1), 3}, {topic(2), 3}, {topic(3), 2}},
                       SubscriptionType::kHeterogeneous});
  CHECK(of(result, "a") == Parts{{topic(1), {0, 1, 2}}, {topic(2), {0, 1}}});
  CHECK(of(result, "b") == Parts{{topic(3), {0}}});
  CHECK(of(result, "c") == Parts{{topic(2), {2}}, {topic(3), {1}}});
}

TEST_CASE("uniform: a newcomer gets the last partitions of those above the quota") {
  const auto one = topics({1});
  const auto result =
      assign("uniform", {{member("a", one, {{topic(1), {0, 1, 2, 3}}}), member("b", one)}, {{topic(1), 4}}});
  CHECK(of(result, "a") == Parts{{topic(1), {0, 1}}});
  CHECK(of(result, "b") == Parts{{topic(1), {2, 3}}});
}

TEST_CASE("uniform: the extra partition stays with whom it was") {
  const auto one = topics({1});
  const GroupSpec spec{{member("a", one, {{topic(1), {0}}}), member("b", one, {{topic(1), {1, 2}}})}, {{topic(1), 3}}};
  const auto result = assign("uniform", spec);
  CHECK(of(result, "a") == Parts{{topic(1), {0}}});
  CHECK(of(result, "b") == Parts{{topic(1), {1, 2}}});
}

TEST_CASE("uniform: what left or was never there is given out, topics that are gone are dropped") {
  const auto two = topics({2, 3});
  const auto result = assign("uniform", {{member("a", two, {{topic(1), {0, 1}}, {topic(2), {1}}}), member("b", two)},
                                         {{topic(2), 2}, {topic(3), 2}}});
  CHECK(of(result, "a") == Parts{{topic(2), {0, 1}}});
  CHECK(of(result, "b") == Parts{{topic(3), {0, 1}}});
}

TEST_CASE("uniform: targets that cannot be do no harm") {
  const auto one = topics({1});
  for (const auto type : {SubscriptionType::kHomogeneous, SubscriptionType::kHeterogeneous}) {
    const auto result = assign(
        "uniform",
        {{member("a", one, {{topic(1), {-1, 0, 7}}}), member("b", one, {{topic(1), {0, 1}}})}, {{topic(1), 2}}, type});
    CHECK(of(result, "a") == Parts{{topic(1), {0}}});
    CHECK(of(result, "b") == Parts{{topic(1), {1}}});
  }
}

TEST_CASE("uniform: different subscriptions are balanced as far as they allow") {
  const auto result =
      assign("uniform", {{member("a", topics({1, 2})), member("b", topics({2})), member("c", topics({2}))},
                         {{topic(1), 4}, {topic(2), 6}},
                         SubscriptionType::kHeterogeneous});
  CHECK(of(result, "a") == Parts{{topic(1), {0, 1, 2, 3}}});
  CHECK(of(result, "b") == Parts{{topic(2), {0, 2, 4}}});
  CHECK(of(result, "c") == Parts{{topic(2), {1, 3, 5}}});
}

TEST_CASE("uniform: an overloaded member gives up the last partitions of a topic that others may have") {
  const auto result =
      assign("uniform",
             {{member("a", topics({1, 2}), {{topic(1), {0, 1}}, {topic(2), {0, 1, 2, 3}}}), member("b", topics({2}))},
              {{topic(1), 2}, {topic(2), 4}},
              SubscriptionType::kHeterogeneous});
  CHECK(of(result, "a") == Parts{{topic(1), {0, 1}}, {topic(2), {0}}});
  CHECK(of(result, "b") == Parts{{topic(2), {1, 2, 3}}});
}

namespace {

// A group whose members and topics change at random; after each change its spec is assigned and the result becomes the
// target.
class RandomGroup {
 public:
  RandomGroup(std::uint64_t seed, SubscriptionType type) : random_(seed) {
    spec_.type = type;
    const std::uint64_t topic_count = pick(1, 6);
    for (std::uint64_t number = 1; number <= topic_count; ++number) {
      spec_.partitions[topic(number)] = static_cast<std::int32_t>(pick(1, 12));
    }
    all_ = subscription(true);
    for (std::uint64_t n = pick(1, 8); n > 0; --n) join();
  }

  void change() {
    switch (pick(0, 3)) {
      case 0:
        join();
        break;
      case 1:
        if (spec_.members.size() > 1) spec_.members.erase(spec_.members.begin() + pick_member());
        break;
      case 2:
        spec_.partitions[topic(pick(1, spec_.partitions.size()))] += static_cast<std::int32_t>(pick(1, 5));
        break;
      default:
        if (spec_.type == SubscriptionType::kHeterogeneous) {
          spec_.members[static_cast<std::size_t>(pick_member())].topics = subscription(false);
        }
    }
  }
  void take(const GroupAssignment& assignment) {
    for (MemberSpec& each : spec_.members) each.target = assignment.members.at(each.id);
  }
  // As the coordinator does: partition counts of subscribed topics only.
  GroupSpec spec() const {
    GroupSpec result{spec_.members, {}, spec_.type};
    for (const MemberSpec& each : spec_.members) {
      for (const TopicId& id : *each.topics) result.partitions[id] = spec_.partitions.at(id);
    }
    return result;
  }

 private:
  std::uint64_t pick(std::uint64_t low, std::uint64_t high) {
    return std::uniform_int_distribution<std::uint64_t>(low, high)(random_);
  }
  std::ptrdiff_t pick_member() { return static_cast<std::ptrdiff_t>(pick(0, spec_.members.size() - 1)); }
  SubscribedTopics subscription(bool all) {
    auto ids = std::make_shared<std::vector<TopicId>>();
    for (const auto& [id, partitions] : spec_.partitions) {
      if (all || pick(0, 1) == 1) ids->push_back(id);
    }
    return ids;
  }
  void join() {
    const bool same = spec_.type == SubscriptionType::kHomogeneous;
    MemberSpec newcomer = member("m" + std::to_string(pick(100, 999'999)), same ? all_ : subscription(false));
    if (pick(0, 3) == 0) newcomer.instance_id = InstanceId("i" + newcomer.id.value());
    const auto place = std::ranges::lower_bound(spec_.members, newcomer.id, {}, &MemberSpec::id);
    if (place != spec_.members.end() && place->id == newcomer.id) return;
    spec_.members.insert(place, std::move(newcomer));
  }

  std::mt19937_64 random_;
  GroupSpec spec_;
  SubscribedTopics all_;
};

// C1: each partition of each subscribed topic has exactly one owner, who subscribes to the topic; nothing else is given
// out.
void check_complete(const GroupSpec& spec, const GroupAssignment& assignment) {
  REQUIRE(assignment.members.size() == spec.members.size());
  std::set<std::pair<TopicId, std::int32_t>> owned;
  for (const MemberSpec& each : spec.members) {
    for (const auto& [id, partitions] : assignment.members.at(each.id)) {
      REQUIRE_FALSE(partitions.empty());
      REQUIRE(std::ranges::is_sorted(partitions));
      REQUIRE(std::ranges::binary_search(*each.topics, id));
      for (const std::int32_t partition : partitions) REQUIRE(owned.emplace(id, partition).second);
    }
  }
  std::size_t expected = 0;
  for (const auto& [id, partitions] : spec.partitions) {
    expected += static_cast<std::size_t>(partitions);
    for (std::int32_t partition = 0; partition < partitions; ++partition) REQUIRE(owned.contains({id, partition}));
  }
  REQUIRE(owned.size() == expected);
}

std::size_t kept(const MemberSpec& each, const Parts& now) {
  std::size_t result = 0;
  for (const auto& [id, partitions] : each.target) {
    const auto found = now.find(id);
    if (found == now.end()) continue;
    std::vector<std::int32_t> both;
    std::ranges::set_intersection(partitions, found->second, std::back_inserter(both));
    result += both.size();
  }
  return result;
}

// C5: sizes differ by one at most, and no other assignment that is as balanced keeps more partitions where they are.
void check_balanced_and_sticky(const GroupSpec& spec, const GroupAssignment& assignment) {
  std::size_t total = 0;
  for (const auto& [id, partitions] : spec.partitions) total += static_cast<std::size_t>(partitions);
  const std::size_t minimum = total / spec.members.size();
  std::size_t extras = total % spec.members.size();
  std::size_t possible = 0;
  std::size_t kept_in_all = 0;
  for (const MemberSpec& each : spec.members) {
    const Parts& now = assignment.members.at(each.id);
    REQUIRE(count(now) >= minimum);
    REQUIRE(count(now) <= minimum + (total % spec.members.size() == 0 ? 0U : 1U));
    const std::size_t had = count(each.target);
    possible += std::min(had, minimum);
    if (had > minimum && extras > 0) {
      ++possible;
      --extras;
    }
    kept_in_all += kept(each, now);
  }
  REQUIRE(kept_in_all == possible);
}

}  // namespace

TEST_CASE("properties of homogeneous groups hold while they change") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    RandomGroup group(seed, SubscriptionType::kHomogeneous);
    for (int step = 0; step < 12; ++step) {
      const GroupSpec spec = group.spec();
      check_complete(spec, assign("range", spec));
      const auto uniform = assign("uniform", spec);
      check_complete(spec, uniform);
      check_balanced_and_sticky(spec, uniform);
      group.take(uniform);
      REQUIRE(assign("uniform", group.spec()).members == uniform.members);  // nothing changed, nothing moves
      group.change();
    }
  }
}

TEST_CASE("properties of heterogeneous groups hold while they change") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    RandomGroup group(seed, SubscriptionType::kHeterogeneous);
    for (int step = 0; step < 12; ++step) {
      const GroupSpec spec = group.spec();
      check_complete(spec, assign("range", spec));
      const auto uniform = assign("uniform", spec);
      check_complete(spec, uniform);
      // No single move within a topic would still improve the balance: its subscribers differ by one, or the one with
      // more has nothing of this topic to give.
      for (const MemberSpec& rich : spec.members) {
        for (const auto& [id, partitions] : uniform.members.at(rich.id)) {
          for (const MemberSpec& poor : spec.members) {
            if (!std::ranges::binary_search(*poor.topics, id)) continue;
            REQUIRE(count(uniform.members.at(rich.id)) <= count(uniform.members.at(poor.id)) + 1);
          }
        }
      }
      group.take(uniform);
      REQUIRE(assign("uniform", group.spec()).members == uniform.members);
      group.change();
    }
  }
}

TEST_CASE("equal specs give equal assignments, whatever type they are declared as") {
  const auto one = topics({1, 2});
  GroupSpec spec{{member("a", one), member("b", one), member("c", one)}, {{topic(1), 7}, {topic(2), 4}}};
  const auto first = assign("uniform", spec);
  CHECK(assign("uniform", spec).members == first.members);
  spec.type = SubscriptionType::kHeterogeneous;
  const auto second = assign("uniform", spec);
  check_complete(spec, second);
  for (const auto& [id, parts] : second.members) CHECK((count(parts) == 3 || count(parts) == 4));
}

}  // namespace cohort::coordinator
