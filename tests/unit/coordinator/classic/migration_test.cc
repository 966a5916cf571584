// Groups that change their protocol while they have members.
#include <catch2/catch.hpp>

#include "server/coordinator/classic/consumer_metadata.h"
#include "server/coordinator/consumer/records.h"
#include "tests/unit/coordinator/classic/calls.h"
#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {
namespace {

using namespace std::chrono_literals;
using enum ErrorCode;

JoinAs consumer(const std::vector<std::string>& topics, const Owned& owned = {}) {
  return {.protocols = {{"range", consumer_metadata(topics, owned)}}, .type = "consumer"};
}

// A stable classic group of one consumer, which has these partitions.
std::string classic_consumer(Harness& h, const Owned& partitions) {
  Classic c(h);
  const JoinAs as = consumer({"t"});
  const std::string member = c.new_id(as);
  auto join = c.join(member, as);
  h.sleep(0s);
  REQUIRE(join.get().generation_id == 1);
  REQUIRE(c.sync(member, 1, {{member, consumer_assignment(partitions)}}, as).error() == kNone);
  return member;
}

Owned synced(Harness& h, const std::string& member, std::int32_t generation) {
  const auto synced = Classic(h).sync(member, generation, {}, consumer({"t"})).get();
  REQUIRE(synced.error_code == 0);
  Owned owned;
  const auto partitions = read_assignment(synced.assignment.view(), h.metadata());
  for (const auto& [topic, of_topic] : partitions.value()) owned[h.metadata().find(topic)->name.value()] = of_topic;
  return owned;
}

TEST_CASE("a member of the consumer protocol turns a classic group, whose member gives up its share by joining again") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  commit(h, "g", "t", {{0, 7}}, {.member = old, .epoch = 1});
  h.records();

  const Answer joined = h.join("new", {.topics = {{"t"}}});
  CHECK(joined.epoch == 2);
  CHECK(joined.assignment == Owned{});
  CHECK(h.records().front() == "-classic g");
  CHECK(h.group().epoch.value() == 2);
  CHECK(h.assigned(old) == Owned{{"t", {0, 1}}});
  CHECK(h.deadline(TimerKind::kConsumerSession, old) == 10s);
  CHECK(fetch_all(h, "g") == "t:0=7");
  if (GENERATE(false, true)) h.restart();

  CHECK(c.beat(old, 1) == kRebalanceInProgress);
  const auto first = c.join(old, consumer({"t"}, {{"t", {0, 1}}})).get();
  CHECK(first.generation_id == 1);
  CHECK(first.leader.empty());
  CHECK(first.members.empty());
  const Owned kept = synced(h, old, 1);
  REQUIRE(kept.at("t").size() == 1);
  CHECK(h.beat("new", 2, {.owned = Owned{}}).assignment == std::nullopt);
  CHECK(c.beat(old, 1) == kRebalanceInProgress);
  CHECK(c.join(old, consumer({"t"}, kept)).get().generation_id == 2);
  CHECK(synced(h, old, 2) == kept);
  CHECK(c.beat(old, 2) == kNone);
  const std::int32_t other = 1 - kept.at("t").front();
  CHECK(h.beat("new", 2, {.owned = Owned{}}).assignment == Owned{{"t", {other}}});
}

TEST_CASE("when the last member of the consumer protocol goes, the others are a classic group and rebalance") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  h.join("new", {.topics = {{"t"}}});
  h.records();
  const bool by_timeout = GENERATE(false, true);
  if (by_timeout) {
    for (int beats = 0; beats < 5; ++beats) {
      h.sleep(9s);
      c.beat(old, 1);
    }
  } else {
    CHECK(h.leave("new").epoch == -1);
  }
  CHECK(h.state().find_consumer_group("g") == nullptr);
  CHECK(c.describe().group_state == "PreparingRebalance");
  CHECK(c.beat(old, 2) == kRebalanceInProgress);
  const auto led = c.join(old, consumer({"t"})).get();
  CHECK(led.generation_id == 3);
  CHECK(led.leader == old);
  CHECK(c.sync(old, 3, {{old, "x"}}, consumer({"t"})).error() == kNone);
  h.restart();
  CHECK(c.beat(old, 3) == kNone);
}

TEST_CASE("what a member has not given up yet is not given to others when the group turns twice") {
  Harness h(classic_config());
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  h.join("new", {.topics = {{"t"}}});
  CHECK(h.group().target_of(old).begin()->second.size() == 1);
  h.leave("new");  // a classic group again, and `old` has heard of nothing
  if (GENERATE(false, true)) h.restart();
  CHECK(h.join("newer", {.topics = {{"t"}}}).assignment == Owned{});
  CHECK(h.assigned(old) == Owned{{"t", {0, 1}}});
}

TEST_CASE("what a cooperative member still reads while it joins is not given to others when the group turns") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const JoinAs reads_both = consumer({"t"}, {{"t", {0, 1}}});
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  CHECK(c.join(old, reads_both).get().generation_id == 2);
  SECTION("the leader has taken one from it, and it has not heard of that") {
    CHECK(c.sync(old, 2, {{old, consumer_assignment({{"t", {1}}})}}, reads_both).error() == kNone);
  }
  SECTION("the round began anew before its leader shared out") {
    const std::string other = c.new_id(consumer({"t"}));
    c.join(other, consumer({"t"}));
    CHECK(c.describe().group_state == "PreparingRebalance");
  }
  CHECK(h.join("new", {.topics = {{"t"}}}).assignment == Owned{});
  CHECK(h.assigned(old) == Owned{{"t", {0, 1}}});
}

TEST_CASE("a member cannot claim what another one was given") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  const JoinAs greedy = consumer({"t"}, {{"t", {0, 1, 7}}});
  const std::string other = c.new_id(greedy);
  auto waiting = c.join(other, greedy);
  CHECK(h.join("new", {.topics = {{"t"}}}).error == kNone);
  CHECK(waiting.error() == kRebalanceInProgress);
  CHECK(h.assigned(old) == Owned{{"t", {0, 1}}});
  CHECK(h.assigned(other) == Owned{});  // there is no partition 7
}

TEST_CASE("a group that has just become a classic one rebalances after a restart, too") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  h.join("new", {.topics = {{"t"}}});
  c.join(old, consumer({"t"}, {{"t", {0, 1}}})).get();
  const Owned kept = synced(h, old, 1);
  CHECK(c.join(old, consumer({"t"}, kept)).get().generation_id == 2);
  CHECK(synced(h, old, 2) == kept);
  h.leave("new");
  h.restart();
  CHECK(c.describe().group_state == "PreparingRebalance");
  CHECK(c.beat(old, 2) == kRebalanceInProgress);  // else nobody would read what `new` had
  const auto led = c.join(old, consumer({"t"})).get();
  CHECK(led.generation_id == 3);
  CHECK(led.leader == old);
}

TEST_CASE("a classic member that waits in the round is told to join again when the group turns") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  c.new_id(consumer({"t"}));
  auto waiting = c.join(old, consumer({"t"}));
  CHECK(waiting.waits());
  SECTION("and not when the join that turns it is refused") {
    CHECK(h.join("new", {.regex = "["}).error == kInvalidRegularExpression);
    CHECK(waiting.waits());
    CHECK(c.describe().group_state == "PreparingRebalance");
  }
  SECTION("nor when its records cannot be written") {
    h.refuse_next(kCoordinatorNotAvailable);
    CHECK(std::get<Refused>(h.request(h.joining("new", {.topics = {{"t"}}}))).error == kCoordinatorNotAvailable);
    CHECK(waiting.refused() == kCoordinatorNotAvailable);
    CHECK(c.describe().group_state == "Stable");
    CHECK(c.beat(old, 1) == kNone);
  }
  SECTION("otherwise") {
    CHECK(h.join("new", {.topics = {{"t"}}}).error == kNone);
    CHECK(waiting.error() == kRebalanceInProgress);
  }
}

TEST_CASE("which classic groups stay classic") {
  config::GroupConfig config = classic_config();
  const auto policy = GENERATE(config::MigrationPolicy::kBidirectional, config::MigrationPolicy::kDowngrade,
                               config::MigrationPolicy::kDisabled);
  config.consumer_migration_policy = policy;
  Harness h(config);
  Classic c(h);
  h.topic("t", 1);
  if (policy != config::MigrationPolicy::kBidirectional) {
    const std::string old = classic_consumer(h, {{"t", {0}}});
    CHECK(h.join("new", {.topics = {{"t"}}}).error == kGroupIdNotFound);
    CHECK(c.beat(old, 1) == kNone);
  } else if (GENERATE(false, true)) {
    const auto members = c.stable(1);  // no consumers
    CHECK(h.join("new", {.topics = {{"t"}}}).error == kGroupIdNotFound);
    CHECK(c.beat(members[0], 1) == kNone);
  } else {
    const JoinAs as = consumer({"t"});
    auto members = c.stable(2, as);
    std::vector<WaitingJoin> joins{c.join(members[0], as), c.join(members[1], as)};
    const std::string all = consumer_assignment({{"t", {0}}});
    c.sync(members[0], 3, {{members[0], all}, {members[1], all}}, as);  // a leader that gives a partition twice
    CHECK(h.join("new", {.topics = {{"t"}}}).error == kGroupIdNotFound);
    CHECK(c.beat(members[0], 3) == kNone);
  }
}

TEST_CASE("a consumer group whose policy forbids it takes no classic members, and stays what it is") {
  config::GroupConfig config = classic_config();
  config.consumer_migration_policy = GENERATE(config::MigrationPolicy::kDisabled, config::MigrationPolicy::kUpgrade);
  Harness h(config);
  Classic c(h);
  h.topic("t", 2);
  h.join("new", {.topics = {{"t"}}});
  const JoinAs as = consumer({"t"});
  if (config.consumer_migration_policy == config::MigrationPolicy::kDisabled) {
    CHECK(c.join({}, as).error() == kInconsistentGroupProtocol);
    return;
  }
  const std::string member = c.new_id(as);
  CHECK(c.join(member, as).get().generation_id == 3);
  CHECK(c.beat("new", 2) == kUnknownMemberId);  // it speaks the other protocol
  CHECK(h.leave("new").error == kNone);
  CHECK(h.group().members.size() == 1);
  CHECK(c.leave(member) == kNone);
  CHECK(h.group().members.empty());
}

TEST_CASE("classic members of a consumer group that do not come in time are removed") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  h.join("new", {.topics = {{"t"}}});
  SECTION("to join") {
    for (int beats = 0; beats < 12; ++beats) {
      CHECK(c.beat(old, 1) == kRebalanceInProgress);
      h.sleep(5s);
      h.beat("new", 2);
    }
  }
  SECTION("to sync") {
    CHECK(c.join(old, consumer({"t"}, {{"t", {0}}})).get().generation_id == 2);
    for (int beats = 0; beats < 12; ++beats) {
      CHECK(c.beat(old, 2) == kNone);
      h.sleep(5s);
      h.beat("new", 2);
    }
  }
  CHECK(h.group().members.size() == 1);
  CHECK(c.beat(old, 2) == kUnknownMemberId);
}

TEST_CASE("a member that changes its protocol and nothing else keeps what it has") {
  Harness h(classic_config());
  h.topic("t", 2);
  const std::string member = classic_consumer(h, {{"t", {0, 1}}});
  const Answer joined = h.join(member, {.topics = {{"t"}}});
  CHECK(joined.epoch == 1);
  CHECK(joined.assignment == Owned{{"t", {0, 1}}});
  CHECK_FALSE(h.member(member).classic);
  CHECK(Classic(h).beat(member, 1) == kUnknownMemberId);
}

TEST_CASE("members of both protocols leave by LeaveGroup, with one new epoch") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  h.join("a", {.topics = {{"t"}}});
  h.join("b", {.topics = {{"t"}}, .instance = "i"});
  const std::int32_t epoch = h.group().epoch.value();
  CHECK(c.leave({{"nobody", {}}, {"", "stranger"}, {"x", "i"}, {"a", {}}, {old, {}}}) ==
        std::vector{kUnknownMemberId, kUnknownMemberId, kFencedInstanceId, kNone, kNone});
  CHECK(h.group().epoch.value() == epoch + 1);
  CHECK(h.group().members.size() == 1);
}

TEST_CASE("a classic member whose subscription cannot be read to its end is refused by a consumer group") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  h.join("new", {.topics = {{"t"}}});
  // Up to the topics, which every version has, it is sound; what version 1 adds is missing.
  std::string metadata = consumer_metadata({"t"});
  metadata.resize(metadata.size() - 2);
  const JoinAs as{.protocols = {{"range", metadata}}, .type = "consumer", .version = 3};
  CHECK(c.join({}, as).error() == kInconsistentGroupProtocol);
  CHECK(h.group().members.size() == 1);
}

TEST_CASE("a classic group that all have left before its first generation becomes a consumer group") {
  config::GroupConfig config = exact_config();
  config.classic_initial_rebalance_delay = 3s;
  Harness h(config);
  Classic c(h);
  h.topic("t", 2);
  const JoinAs as = consumer({"t"});
  const std::string member = c.new_id(as);
  c.join(member, as);
  CHECK(c.leave(member) == kNone);
  CHECK(c.describe().group_state == "PreparingRebalance");
  CHECK(h.join("new", {.topics = {{"t"}}}).epoch == 2);
  CHECK(h.state().classic_groups.empty());
  CHECK(h.assigned("new") == Owned{{"t", {0, 1}}});
}

TEST_CASE("a classic member without a protocol, as no server writes one, does no harm") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 2);
  const std::string old = classic_consumer(h, {{"t", {0, 1}}});
  h.join("new", {.topics = {{"t"}}});
  ConsumerMember member = h.member(old);
  member.classic->supported_protocols.clear();
  h.append(member_record("g", member));
  CHECK(c.sync(old, 1, {}, consumer({"t"})).error() == kInconsistentGroupProtocol);
  CHECK(h.leave("new").error == kNone);  // those that stay have no protocol in common
  CHECK(h.group().members.size() == 1);
}

}  // namespace
}  // namespace cohort::coordinator::testing
