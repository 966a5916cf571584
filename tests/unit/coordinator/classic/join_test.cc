// JoinGroup: ids, protocols, sizes, members that come again.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/classic/calls.h"

namespace cohort::coordinator::testing {
namespace {

using namespace std::chrono_literals;
using enum ErrorCode;

const JoinAs kTwo{.protocols = {{"b", "2b"}, {"c", "2c"}}};

TEST_CASE("a new member is told its id, and the group is written down before it") {
  Harness h(classic_config());
  Classic c(h);
  const std::string id = c.new_id();
  CHECK(id.starts_with("client-"));
  CHECK(h.records() == Lines{"classic g generation 0 /- leader -"});
  CHECK(h.last_after() == -1);  // the shard adds the record of the step
  CHECK(c.describe().group_state == "Empty");
  CHECK(c.new_id() != id);
  CHECK(h.records().empty());
  CHECK(h.deadline(TimerKind::kClassicSession, id) == 10s);
  h.sleep(10s);  // the group stays, the ids are forgotten
  CHECK(c.join(id).error() == kUnknownMemberId);
}

TEST_CASE("the first member waits for the initial delay, and longer when others come") {
  config::GroupConfig config = exact_config();
  config.classic_initial_rebalance_delay = 3s;
  Harness h(config);
  Classic c(h);
  const std::string one = c.new_id();
  auto first = c.join(one);
  CHECK(h.deadline(TimerKind::kClassicJoin, "") == 3s);
  h.sleep(2s);
  const std::string two = c.new_id();
  auto second = c.join(two);
  h.sleep(1s);
  CHECK(first.waits());
  CHECK(h.deadline(TimerKind::kClassicJoin, "") == 3s);
  h.sleep(3s);
  const auto led = first.get();
  CHECK(led.generation_id == 1);
  CHECK(led.leader == one);
  CHECK(led.members.size() == 2);
  const auto followed = second.get();
  CHECK(followed.generation_id == 1);
  CHECK(followed.leader == one);
  CHECK(followed.members.empty());
}

TEST_CASE("the initial delay ends with the rebalance timeout, however many come") {
  config::GroupConfig config = exact_config();
  config.classic_initial_rebalance_delay = 3s;
  Harness h(config);
  Classic c(h);
  const JoinAs as{.rebalance_ms = 7'000, .version = 3};
  auto first = c.join({}, as);
  std::vector<WaitingJoin> others;
  for (int second = 1; second < 7; ++second) {
    h.sleep(1s);
    others.push_back(c.join({}, as));
    CHECK(first.waits());
  }
  h.sleep(1s);
  CHECK(first.get().members.size() == 7);
}

TEST_CASE("before version 4 a member joins at once, and version 0 has no rebalance timeout of its own") {
  Harness h(classic_config());
  Classic c(h);
  auto join = c.join({}, {.session_ms = 20'000, .rebalance_ms = -1, .version = 0});
  h.sleep(0s);
  const auto joined = join.get();
  CHECK(joined.member_id == joined.leader);
  CHECK(h.round().rebalance_timeout_ms() == 20'000);
}

TEST_CASE("refused joins leave no group behind") {
  Harness h(classic_config());
  Classic c(h);
  CHECK(c.join({}, {.group = ""}).error() == kInvalidGroupId);
  CHECK(c.join({}, {.session_ms = 5'999}).error() == kInvalidSessionTimeout);
  CHECK(c.join({}, {.session_ms = 1'800'001}).error() == kInvalidSessionTimeout);
  CHECK(c.join({}, {.protocols = {}}).error() == kInconsistentGroupProtocol);
  CHECK(c.join({}, {.type = ""}).error() == kInconsistentGroupProtocol);
  const auto unknown = c.join("invented").get();
  CHECK(static_cast<ErrorCode>(unknown.error_code) == kUnknownMemberId);
  CHECK(unknown.member_id == "invented");
  CHECK(h.state().classic_groups.empty());
  CHECK(h.records().empty());
}

TEST_CASE("a consumer whose subscription cannot be read is refused at once") {
  Harness h(classic_config());
  Classic c(h);
  const auto as = [](std::string metadata) {
    return JoinAs{.protocols = {{"range", std::move(metadata)}}, .type = "consumer"};
  };
  for (const auto& metadata :
       {std::string(), std::string("metadata"), std::string("\xff\xff", 2), std::string("\0\0\x7f\xff\xff\xff", 6)}) {
    CHECK(c.join({}, as(metadata)).error() == kInconsistentGroupProtocol);
  }
  CHECK(c.join({}, as(consumer_metadata({"t"}))).error() == kMemberIdRequired);
}

TEST_CASE("members need a protocol in common, and the type of the group") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(1, {.protocols = {{"a", "1a"}, {"b", "1b"}}});
  CHECK(c.join({}, {.protocols = {{"c", ""}}}).error() == kInconsistentGroupProtocol);
  CHECK(c.join({}, {.type = "connect"}).error() == kInconsistentGroupProtocol);
  const std::string two = c.new_id(kTwo);
  auto second = c.join(two, kTwo);
  CHECK(c.join(members[0], {.protocols = {{"a", "1a"}, {"b", "1b"}}}).get().protocol_name == "b");
  const auto joined = second.get();
  CHECK(joined.protocol_name == "b");
  CHECK(joined.protocol_type == "conform");
}

TEST_CASE("most votes choose the protocol, and the leader decides when they are even") {
  Harness h(classic_config());
  Classic c(h);
  const JoinAs prefers_a{.protocols = {{"a", ""}, {"b", ""}}};
  const JoinAs prefers_b{.protocols = {{"b", ""}, {"a", ""}}};
  const auto members = c.stable(1, prefers_a);
  const std::string two = c.new_id(prefers_b);
  auto second = c.join(two, prefers_b);
  CHECK(c.join(members[0], prefers_a).get().protocol_name == "a");
  CHECK(second.get().protocol_name == "a");
  const std::string three = c.new_id(prefers_b);
  c.join(three, prefers_b);
  auto first = c.join(members[0], prefers_a);
  c.join(two, prefers_b);
  CHECK(first.get().protocol_name == "b");
}

TEST_CASE("a protocol that is named twice counts once") {
  Harness h(classic_config());
  Classic c(h);
  const JoinAs twice{.protocols = {{"a", "first"}, {"a", "second"}}};
  const auto members = c.stable(1, twice);
  const std::string two = c.new_id({.protocols = {{"a", ""}}});
  c.join(two, {.protocols = {{"a", ""}}});
  const auto joined = c.join(members[0], twice).get();
  CHECK(joined.protocol_name == "a");
  CHECK(joined.members.at(0).metadata.text() == "first");
}

TEST_CASE("a follower that comes again unchanged gets what it missed; one that changed, and the leader, rebalance") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  CHECK(c.join(members[1]).get().generation_id == 2);
  CHECK(c.beat(members[0], 2) == kNone);

  SECTION("changed") {
    auto second = c.join(members[1], {.protocols = {{"range", "other"}}});
    CHECK(second.waits());
    CHECK(c.beat(members[0], 2) == kRebalanceInProgress);
    const auto led = c.join(members[0]).get();
    CHECK(led.generation_id == 3);
    CHECK(led.members.size() == 2);
  }
  SECTION("the leader") {
    auto first = c.join(members[0]);
    CHECK(first.waits());
    CHECK(c.join(members[1]).get().generation_id == 3);
    CHECK(first.get().generation_id == 3);
  }
}

TEST_CASE("while the leader's sync is waited for, an unchanged join repeats the answer, a changed one begins anew") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  auto first = c.join(members[0]);
  CHECK(c.join(members[1]).get().generation_id == 3);
  CHECK(first.get().generation_id == 3);
  const auto repeated = c.join(members[0]).get();
  CHECK(repeated.generation_id == 3);
  CHECK(repeated.members.size() == 2);
  auto held = c.sync(members[1], 3);
  CHECK(held.waits());
  auto again = c.join(members[1], {.protocols = {{"range", "other"}}});
  CHECK(held.error() == kRebalanceInProgress);
  CHECK(c.join(members[0]).get().generation_id == 4);
  CHECK(again.get().generation_id == 4);
}

TEST_CASE("a join that is sent again takes the place of the one that waits") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  auto lost = c.join(members[0]);
  auto first = c.join(members[0]);
  CHECK(lost.error() == kRebalanceInProgress);
  CHECK(first.waits());
  CHECK(h.round().joined() == 1);
  CHECK(c.join(members[1]).get().generation_id == 3);
  CHECK(first.get().generation_id == 3);
}

TEST_CASE("members that do not come in time are out, and a leader among them is followed by one that came") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(3);
  auto second = c.join(members[1], {.protocols = {{"range", "other"}}});
  auto third = c.join(members[2]);
  for (int beats = 0; beats < 12; ++beats) {
    CHECK(c.beat(members[0], 2) == kRebalanceInProgress);
    h.sleep(5s);
  }
  const auto led = second.get();
  CHECK(led.generation_id == 3);
  CHECK(led.members.size() == 2);
  CHECK(led.leader == members[1]);
  CHECK(third.get().leader == members[1]);
  CHECK(c.beat(members[0], 2) == kUnknownMemberId);
}

TEST_CASE("an id that was given out holds up the next rebalance until it is used, given back or too old") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(1);
  const std::string pending = c.new_id();
  auto first = c.join(members[0]);
  CHECK(first.waits());
  SECTION("used") {
    CHECK(c.join(pending).get().generation_id == 2);
  }
  SECTION("given back") {
    CHECK(c.leave(pending) == kNone);
  }
  SECTION("too old") {
    h.sleep(10s);
  }
  CHECK(first.get().generation_id == 2);
}

TEST_CASE("group.max.size: ids that were given out do not count, and an empty group takes any") {
  config::GroupConfig config = classic_config();
  config.classic_max_size = 2;
  Harness h(config);
  Classic c(h);
  const std::string one = c.new_id();
  const std::string two = c.new_id();
  c.new_id();
  auto first = c.join(one);
  c.join(two);
  const auto full = c.join({}, {.version = 3}).get();
  CHECK(static_cast<ErrorCode>(full.error_code) == kGroupMaxSizeReached);
  CHECK(full.member_id.empty());
  h.sleep(0s);
  CHECK(first.get().members.size() == 2);
  CHECK(c.join({}, {.version = 3}).error() == kGroupMaxSizeReached);
}

TEST_CASE("a new member whose client is gone does not wait for ever") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(1, {.session_ms = 1'800'000, .rebalance_ms = 1'800'000});
  auto lost = c.join({}, {.session_ms = 1'800'000, .rebalance_ms = 1'800'000, .version = 3});
  h.sleep(5min);
  CHECK(lost.error() == kUnknownMemberId);
  CHECK(c.join(members[0], {.session_ms = 1'800'000}).get().members.size() == 1);
}

TEST_CASE("an empty consumer group becomes a classic group, one with members does not") {
  Harness h(classic_config());
  Classic c(h);
  h.topic("t", 1);
  h.join("m", {.topics = {{"t"}}});
  CHECK(c.join({}, {.version = 3}).error() == kInconsistentGroupProtocol);
  h.leave("m");
  h.records();
  CHECK(c.join("m").error() == kUnknownMemberId);
  CHECK(h.state().find_consumer_group("g") != nullptr);
  auto join = c.join({}, {.version = 3});
  CHECK(h.state().find_consumer_group("g") == nullptr);
  h.sleep(0s);
  CHECK(join.get().generation_id == 1);
}

}  // namespace
}  // namespace cohort::coordinator::testing
