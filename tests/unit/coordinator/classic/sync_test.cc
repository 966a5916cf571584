// SyncGroup, heartbeats, leaving, sessions: a generation from its beginning to its end.
#include <catch2/catch.hpp>

#include "tests/unit/coordinator/classic/calls.h"

namespace cohort::coordinator::testing {
namespace {

using namespace std::chrono_literals;
using enum ErrorCode;

TEST_CASE("the leader's sync writes the group down and answers all that wait, resting on that record") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  h.records();
  auto first = c.join(members[0]);
  CHECK(c.join(members[1]).get().generation_id == 3);
  CHECK(h.records().empty());  // a generation that nobody has an assignment for is not written
  CHECK(c.describe().group_state == "CompletingRebalance");
  auto held = c.sync(members[1], 3);
  CHECK(held.waits());
  CHECK(c.beat(members[1], 3) == kNone);
  CHECK(first.get().members.size() == 2);
  CHECK(c.sync(members[0], 3, {{members[0], "all"}, {"nobody", "?"}}).get().assignment.text() == "all");
  CHECK(h.records() == Lines{"classic g generation 3 conform/range leader " + members[0] + " " + members[0] + "=all " +
                             members[1] + "="});
  const auto follower = held.get();
  CHECK(follower.assignment.empty());
  CHECK(follower.protocol_type == "conform");
  CHECK(follower.protocol_name == "range");
  const auto described = c.describe();
  CHECK(described.group_state == "Stable");
  CHECK(described.protocol_data == "range");
  CHECK(described.members.at(0).member_metadata.text() == "metadata");
  CHECK(described.members.at(0).member_assignment.text() == "all");
  CHECK(c.sync(members[0], 3).get().assignment.text() == "all");  // again
}

TEST_CASE("SyncGroup checks member, generation and protocol") {
  Harness h(classic_config());
  Classic c(h);
  CHECK(c.sync("nobody", 1).error() == kUnknownMemberId);
  const auto members = c.stable(1);
  CHECK(c.sync("nobody", 1).error() == kUnknownMemberId);
  CHECK(c.sync(members[0], 2).error() == kIllegalGeneration);
  CHECK(c.sync(members[0], 1, {}, {.type = "connect"}).error() == kInconsistentGroupProtocol);
  CHECK(c.sync(members[0], 1, {}, {.protocols = {{"other", ""}}}).error() == kInconsistentGroupProtocol);
  CHECK(c.sync(members[0], 1, {}, {.group = ""}).error() == kInvalidGroupId);
  SyncGroup sync{.request = {}, .version = 5};
  sync.request.group_id = "g";
  CHECK(std::get<protocol::SyncGroupResponse>(h.request(sync)).error_code == to_wire(kInconsistentGroupProtocol));
  auto join = c.join(members[0], {.protocols = {{"range", "other"}}});
  c.new_id();
  auto again = c.join(members[0], {.protocols = {{"range", "another"}}});
  CHECK(again.waits());
  CHECK(c.sync(members[0], 1).error() == kIllegalGeneration);
  CHECK(join.get().generation_id == 2);
}

TEST_CASE("heartbeats: unknown, of another generation, asked to join again") {
  Harness h(classic_config());
  Classic c(h);
  CHECK(c.beat("nobody", 1) == kUnknownMemberId);
  CHECK(c.beat("nobody", 1, {.group = ""}) == kInvalidGroupId);
  const auto members = c.stable(2);
  CHECK(c.beat(members[0], 2) == kNone);
  CHECK(c.beat(members[0], 1) == kIllegalGeneration);
  CHECK(c.beat("nobody", 2) == kUnknownMemberId);
  CHECK(h.records().size() == 3);  // made, generation 1, generation 2: heartbeats write nothing
  c.join(members[0]);
  CHECK(c.beat(members[1], 2) == kRebalanceInProgress);
}

TEST_CASE("a session ends without heartbeats, and the others rebalance") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  h.sleep(9s);
  CHECK(c.beat(members[0], 2) == kNone);
  h.sleep(1s);
  CHECK(c.beat(members[0], 2) == kRebalanceInProgress);
  CHECK(c.beat(members[1], 2) == kUnknownMemberId);
  CHECK(c.join(members[0]).get().generation_id == 3);
  CHECK(c.sync(members[0], 3).error() == kNone);
  h.records();
  h.sleep(10s);
  CHECK(c.describe().group_state == "Empty");
  CHECK(h.records() == Lines{"classic g generation 4 conform/- leader -"});
}

TEST_CASE("members that wait for an answer need no heartbeat, and have a whole session afterwards") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  auto first = c.join(members[0]);
  for (int beats = 0; beats < 3; ++beats) {
    h.sleep(9s);
    CHECK(c.beat(members[1], 2) == kRebalanceInProgress);
  }
  CHECK(first.waits());
  CHECK(c.join(members[1]).get().generation_id == 3);
  CHECK(first.get().generation_id == 3);
  auto held = c.sync(members[1], 3);
  for (int beats = 0; beats < 3; ++beats) {
    h.sleep(9s);
    CHECK(c.beat(members[0], 3) == kNone);
  }
  CHECK(held.waits());
  CHECK(c.sync(members[0], 3).error() == kNone);
  CHECK(held.error() == kNone);
  CHECK(h.deadline(TimerKind::kClassicSession, members[1]) == 10s);
}

TEST_CASE("a member whose sync ends in another rebalance has a whole session for its next join") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  c.join(members[0]);
  CHECK(c.join(members[1]).get().generation_id == 3);
  auto held = c.sync(members[1], 3);
  h.sleep(9s);
  CHECK(c.beat(members[0], 3) == kNone);
  h.sleep(5s);
  CHECK(held.waits());
  c.join(members[0], {.protocols = {{"range", "other"}}});
  CHECK(held.error() == kRebalanceInProgress);
  CHECK(h.deadline(TimerKind::kClassicSession, members[1]) == 10s);
}

TEST_CASE("members that never sync are out after the rebalance timeout") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(3);
  std::vector<WaitingJoin> joins;
  for (const auto& member : members) joins.push_back(c.join(member));
  CHECK(joins[0].get().generation_id == 3);
  auto held = c.sync(members[1], 3);
  const bool leader_syncs = GENERATE(false, true);
  if (leader_syncs) CHECK(c.sync(members[0], 3).error() == kNone);
  for (int beats = 0; beats < 12; ++beats) {
    h.sleep(5s);
    for (const auto& member : members) c.beat(member, 3);
  }
  CHECK(held.error() == (leader_syncs ? kNone : kRebalanceInProgress));
  CHECK(c.beat(members[2], 3) == kUnknownMemberId);
  CHECK(c.beat(members[0], 3) == (leader_syncs ? kRebalanceInProgress : kUnknownMemberId));
  CHECK(c.beat(members[1], 3) == kRebalanceInProgress);
}

TEST_CASE("leaving: by member id, by instance id, with the errors of each") {
  Harness h(classic_config());
  Classic c(h);
  CHECK(c.leave("nobody") == kUnknownMemberId);
  const auto members = c.stable(1);
  auto join = c.join({}, {.instance = "i"});
  CHECK(c.join(members[0]).get().generation_id == 2);
  const std::string fixed = join.get().member_id.str();
  CHECK(fixed.starts_with("i-"));
  CHECK(c.leave({{"nobody", {}}, {"", "stranger"}, {"nobody", "i"}, {"", {}}, {"", "i"}}) ==
        std::vector{kUnknownMemberId, kUnknownMemberId, kFencedInstanceId, kUnknownMemberId, kNone});
  CHECK(c.beat(fixed, 2, {.instance = "i"}) == kUnknownMemberId);
  CHECK(c.beat(members[0], 2) == kRebalanceInProgress);
  h.records();
  CHECK(c.leave(members[0]) == kNone);
  CHECK(h.records() == Lines{"classic g generation 3 conform/- leader -"});
  CHECK(c.describe().group_state == "Empty");
  CHECK(c.describe().protocol_type == "conform");
}

TEST_CASE("who leaves while it waits is answered") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(3);
  auto first = c.join(members[0]);
  auto second = c.join(members[1]);
  CHECK(c.leave(members[1]) == kNone);
  CHECK(second.error() == kUnknownMemberId);
  CHECK(c.join(members[2]).get().generation_id == 3);
  CHECK(first.get().members.size() == 2);
  auto held = c.sync(members[2], 3);
  CHECK(c.leave(members[2]) == kNone);
  CHECK(held.error() == kUnknownMemberId);
  CHECK(c.join(members[0]).get().members.size() == 1);
}

TEST_CASE("a static member that comes back keeps generation and assignment under a new id") {
  Harness h(classic_config());
  Classic c(h);
  const JoinAs as{.instance = "i"};
  auto join = c.join({}, as);
  h.sleep(0s);
  const std::string old = join.get().member_id.str();
  CHECK(c.sync(old, 1, {{old, "mine"}}, as).error() == kNone);
  h.records();

  SECTION("a leader is told to skip the assignment") {
    const auto back = c.join({}, as).get();
    const std::string id = back.member_id.str();
    CHECK(id != old);
    CHECK(back.generation_id == 1);
    CHECK(back.skip_assignment);
    CHECK(back.leader == id);
    CHECK(back.members.size() == 1);
    CHECK(h.records() == Lines{"classic g generation 1 conform/range leader " + id + " " + id + "=mine"});
    CHECK(c.sync(id, 1, {}, as).get().assignment.text() == "mine");
    CHECK(c.beat(old, 1, as) == kFencedInstanceId);
    CHECK(c.beat(old, 1) == kUnknownMemberId);
    CHECK(c.join(old, as).error() == kFencedInstanceId);
    CHECK(c.beat(id, 1, {.instance = "stranger"}) == kUnknownMemberId);
    h.restart();
    CHECK(c.beat(id, 1, as) == kNone);
  }
  SECTION("before version 9 it sees its former id as the leader's") {
    const auto back = c.join({}, {.instance = "i", .version = 8}).get();
    CHECK(back.leader == old);
    CHECK_FALSE(back.skip_assignment);
    CHECK(back.members.empty());
  }
  SECTION("with another protocol there is a rebalance") {
    auto back = c.join({}, {.protocols = {{"other", ""}, {"range", "metadata"}}, .instance = "i"});
    CHECK(back.get().generation_id == 2);
  }
  SECTION("while the leader's assignment is waited for there is one, too") {
    CHECK(c.join(old, as).get().generation_id == 2);
    const auto back = c.join({}, as).get();
    CHECK(back.generation_id == 3);
  }
}

TEST_CASE("a static member that is replaced while it waits is fenced; its place is kept over a rebalance") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(1);
  const JoinAs as{.session_ms = 600'000, .instance = "i"};
  auto lost = c.join({}, as);
  auto back = c.join({}, as);
  const auto fenced = lost.get();
  CHECK(static_cast<ErrorCode>(fenced.error_code) == kFencedInstanceId);
  CHECK(c.join(members[0]).get().generation_id == 2);
  CHECK(back.get().generation_id == 2);
  // It does not come to the next one, and is still a member.
  auto again = c.join(members[0]);
  for (int beats = 0; beats < 12; ++beats) h.sleep(5s);
  CHECK(again.get().members.size() == 2);
}

TEST_CASE("static members alone that do not come keep the group waiting until their sessions end") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(1);
  auto fixed = c.join({}, {.session_ms = 100'000, .instance = "i"});
  CHECK(c.join(members[0]).get().generation_id == 2);
  CHECK(fixed.get().generation_id == 2);
  CHECK(c.sync(members[0], 2).error() == kNone);
  CHECK(c.leave(members[0]) == kNone);
  h.sleep(60s);
  CHECK(c.describe().group_state == "PreparingRebalance");
  CHECK(c.describe().members.size() == 1);
  h.sleep(60s);
  CHECK(c.describe().group_state == "Empty");
}

TEST_CASE("a restart keeps the last generation that has assignments, and forgets the rebalance") {
  Harness h(classic_config());
  Classic c(h);
  const auto members = c.stable(2);
  c.join(members[0]);
  const bool compact = GENERATE(false, true);
  h.restart(compact);
  CHECK(c.describe().group_state == "Stable");
  CHECK(c.beat(members[0], 2) == kNone);
  CHECK(c.beat(members[1], 2) == kNone);
  CHECK(c.sync(members[1], 2).get().assignment.text() == members[1]);
  c.rebalance(members);
  h.sleep(10s);  // sessions begin with the load, and end
  CHECK(c.describe().group_state == "Empty");
}

TEST_CASE("a refused step takes its group back to what the log says, and answers who waits") {
  Harness h(classic_config());
  Classic c(h);
  SECTION("a group that could not be made") {
    h.refuse_next(kCoordinatorNotAvailable);
    CHECK(c.join({}, {.version = 3}).refused() == kCoordinatorNotAvailable);
    CHECK(h.state().classic_groups.empty());
    CHECK(c.stable(1).size() == 1);
  }
  SECTION("a leader's sync") {
    const auto members = c.stable(2);
    c.join(members[0]);
    c.join(members[1]);
    auto held = c.sync(members[1], 3);
    h.refuse_next(kCoordinatorNotAvailable);
    CHECK(c.sync(members[0], 3).refused() == kCoordinatorNotAvailable);
    CHECK(held.refused() == kCoordinatorNotAvailable);
    CHECK(c.beat(members[0], 3) == kIllegalGeneration);
    CHECK(c.beat(members[0], 2) == kNone);
    c.rebalance(members);
  }
  SECTION("the last one's leaving") {
    const auto members = c.stable(1);
    LeaveGroup leave;
    leave.request.group_id = "g";
    leave.request.members.push_back({.member_id = members[0]});
    h.refuse_next(kCoordinatorNotAvailable);
    CHECK(std::get<Refused>(h.request(leave)).error == kCoordinatorNotAvailable);
    CHECK(c.beat(members[0], 1) == kNone);
  }
}

TEST_CASE("records that no coordinator can have written are errors") {
  Harness h;
  protocol::GroupMetadataRecord record{.key = {.group = "g"}, .value = protocol::GroupMetadataValue{}};
  auto& value = *record.value;
  value.members.emplace_back().member_id = "m";
  value.protocol.reset();
  const auto is_refused = [&] {
    const auto result = h.try_append(record);
    return !result && result.error().kind == ErrorKind::kCorrupt;
  };
  CHECK(is_refused());
  value.protocol = protocol::Text("range");
  value.members.emplace_back().member_id = "m";
  CHECK(is_refused());
  value.members.back().member_id = "n";
  for (auto& member : value.members) member.group_instance_id = protocol::Text("i");
  CHECK(is_refused());
}

TEST_CASE("an id that belongs to a consumer group is an error in the record of a classic one") {
  Harness h;
  h.topic("t", 1);
  h.join("m", {.topics = {{"t"}}});
  const auto result = h.try_append(protocol::GroupMetadataRecord{.key = {.group = "g"}, .value = {{}}});
  CHECK(result.error().kind == ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace cohort::coordinator::testing
