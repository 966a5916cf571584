#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "server/coordinator/classic/consumer_metadata.h"
#include "tests/unit/coordinator/offsets/calls.h"

namespace cohort::coordinator::testing {
namespace {

using protocol::GroupId;

// "id type/state/protocol type"
Lines list(Harness& h, std::vector<std::string> states = {}, std::vector<std::string> types = {}) {
  Lines lines;
  const auto groups = std::get<ListedGroups>(h.request(ListGroups{std::move(states), std::move(types)}));
  for (const auto& group : groups) {
    lines.push_back(
        fmt::format("{} {}/{}/{}", group.group_id, group.group_type, group.group_state, group.protocol_type));
  }
  return lines;
}

// "id=error"
Lines delete_groups(Harness& h, std::vector<std::string> ids) {
  DeleteGroups request;
  for (auto& id : ids) request.groups.emplace_back(std::move(id));
  Lines lines;
  const auto results = std::get<DeletedGroups>(h.request(std::move(request)));
  for (const auto& result : results) {
    lines.push_back(fmt::format("{}={}", result.group_id, result.error_code));
  }
  return lines;
}

// "id state/protocol type error: message"
template <typename Descriptions>
Lines described(const GroupResponse& response) {
  Lines lines;
  for (const auto& group : std::get<Descriptions>(response)) {
    std::string line = fmt::format("{} {}", group.group_id, group.group_state);
    if (group.error_code != 0) line += fmt::format(" {}", group.error_code);
    if (group.error_message) line += fmt::format(": {}", *group.error_message);
    lines.push_back(std::move(line));
  }
  return lines;
}

std::vector<GroupId> ids(std::initializer_list<const char*> names) {
  std::vector<GroupId> result;
  for (const char* name : names) result.emplace_back(name);
  return result;
}

// Groups of all kinds: a consumer group with a member, an empty one, a simple one, and some that are not served.
void make_groups(Harness& h) {
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}, .group = "consumer"});
  h.join("m2", {.topics = {{"t"}}, .group = "empty"});
  h.leave("m2", {.group = "empty"});
  commit(h, "simple", "t", {{0, 1}, {1, 2}});
  commit(h, "empty", "t", {{0, 1}});
  protocol::GroupMetadataRecord classic{.key = {.group = "classic"}, .value = protocol::GroupMetadataValue{}};
  classic.value->protocol_type = "connect";
  h.append(classic);
  classic.key.group = "live";
  classic.value->members.emplace_back().session_timeout = 10'000;
  h.append(classic);
  h.append(
      protocol::ShareGroupMetadataRecord{.key = {.group_id = "share"}, .value = protocol::ShareGroupMetadataValue{}});
  h.restart();
  h.records();
}

}  // namespace

TEST_CASE("groups are listed in order of their ids, with type, state and protocol type") {
  Harness h;
  CHECK(list(h).empty());
  make_groups(h);
  CHECK(list(h) == Lines{"classic classic/Empty/connect", "consumer consumer/Stable/consumer",
                         "empty consumer/Empty/consumer", "live classic/Stable/connect", "share share/Unknown/share",
                         "simple classic/Empty/"});
  CHECK(h.last_after() == h.last_offset());
}

TEST_CASE("filters of ListGroups ignore case, and unknown names match nothing") {
  Harness h;
  make_groups(h);
  CHECK(list(h, {"eMPTY"}).size() == 3);
  CHECK(list(h, {" Stable "}) == Lines{"consumer consumer/Stable/consumer", "live classic/Stable/connect"});
  CHECK(list(h, {"Stable", "Empty"}, {"CONSUMER"}) ==
        Lines{"consumer consumer/Stable/consumer", "empty consumer/Empty/consumer"});
  CHECK(list(h, {}, {"classic"}).size() == 3);
  CHECK(list(h, {"Stable"}, {"share", "classic"}) == Lines{"live classic/Stable/connect"});
  CHECK(list(h, {"Nonsense"}).empty());
  CHECK(list(h, {}, {"nonsense"}).empty());
  CHECK(list(h, {}, {"nonsense", "consumer"}).size() == 2);
  CHECK(list(h, {""}).empty());
}

TEST_CASE("DescribeGroups knows simple groups; others are Dead, with an error from version 6 on") {
  Harness h;
  make_groups(h);
  DescribeClassicGroups request{ids({"simple", "consumer", "none", "classic", "share", "live"}), 5};
  CHECK(described<ClassicGroupDescriptions>(h.request(request)) ==
        Lines{"simple Empty", "consumer Dead", "none Dead", "classic Empty", "share Dead", "live Stable"});
  request.version = 6;
  CHECK(described<ClassicGroupDescriptions>(h.request(request)) ==
        Lines{"simple Empty", "consumer Dead 69: Group consumer is not a classic group.",
              "none Dead 69: Group none not found.", "classic Empty",
              "share Dead 69: Group share is not a classic group.", "live Stable"});
  const auto simple =
      std::get<ClassicGroupDescriptions>(h.request(DescribeClassicGroups{ids({"simple", "classic"}), 5}));
  CHECK(simple[0].protocol_type == "");
  CHECK(simple[0].members.empty());
  CHECK(simple[0].authorized_operations == std::numeric_limits<std::int32_t>::min());
  CHECK(simple[1].protocol_type == "connect");
}

TEST_CASE("DescribeGroups shows consumer groups where the configuration asks for it") {
  config::GroupConfig config = exact_config();
  config.describe_compat = true;
  Harness h(config);
  h.topic("t", 3);
  h.topic("u", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t", "u"}}});
  const auto now = [&] {
    return std::get<ClassicGroupDescriptions>(h.request(DescribeClassicGroups{ids({"g"}), 6})).at(0);
  };
  CHECK(now().group_state == "CompletingRebalance");
  const auto first = now().members.at(0);
  CHECK(first.member_id == "m1");
  CHECK(read_subscribed_topics(first.member_metadata.view()).value() == std::vector<protocol::Text>{"t"});
  const auto assigned = read_assignment(first.member_assignment.view(), h.metadata());
  REQUIRE(assigned.has_value());
  REQUIRE(assigned->size() == 1);
  CHECK(assigned->begin()->second == std::vector<std::int32_t>{0, 1, 2});
  h.leave("m1");
  h.leave("m2");
  CHECK(now().error_code == to_wire(ErrorCode::kNone));
  CHECK(now().group_state == "Empty");
  CHECK(now().protocol_type == "consumer");
  CHECK(now().protocol_data == "uniform");
}

TEST_CASE("ConsumerGroupDescribe knows consumer groups only") {
  Harness h;
  make_groups(h);
  CHECK(described<ConsumerGroupDescriptions>(
            h.request(DescribeConsumerGroups{ids({"consumer", "simple", "none", "share", "empty", ""})})) ==
        Lines{"consumer Stable", "simple  69: Group simple is not a consumer group.", "none  69: Group none not found.",
              "share  69: Group share is not a consumer group.", "empty Empty", "  24"});
}

TEST_CASE("a deleted group is gone with its offsets, by tombstones of all its records") {
  Harness h;
  make_groups(h);
  CHECK(delete_groups(h, {"simple", "empty", "consumer", "none"}) ==
        Lines{"simple=0", "empty=0", "consumer=68", "none=69"});
  CHECK(h.records() == Lines{"-offset simple t:0", "-offset simple t:1", "-offset empty t:0", "-assignment",
                             "-partition metadata", "-group"});
  CHECK(delete_groups(h, {"simple", "empty"}) == Lines{"simple=69", "empty=69"});
  CHECK(fetch_all(h, "simple").empty());
  CHECK(fetch_all(h, "empty").empty());
  h.restart();
  CHECK(list(h, {}, {"consumer"}) == Lines{"consumer consumer/Stable/consumer"});
}

TEST_CASE("a group that is named twice is deleted once and answered once") {
  Harness h;
  make_groups(h);
  CHECK(delete_groups(h, {"simple", "none", "simple", "none"}) == Lines{"simple=0", "none=69"});
  CHECK(h.records() == Lines{"-offset simple t:0", "-offset simple t:1"});
}

TEST_CASE("of groups that are not served only empty classic ones can be deleted") {
  Harness h;
  make_groups(h);
  commit(h, "classic", "t", {{0, 5}});
  h.records();
  CHECK(delete_groups(h, {"classic", "live", "share"}) == Lines{"classic=0", "live=68", "share=68"});
  CHECK(h.records() == Lines{"-offset classic t:0", "-classic classic"});
}

TEST_CASE("a deleted group's id can be used again") {
  Harness h;
  make_groups(h);
  delete_groups(h, {"simple"});
  CHECK(h.join("m", {.topics = {{"t"}}, .group = "simple"}).epoch == 2);
}

TEST_CASE("a consumer group takes over the offsets of a simple group") {
  Harness h;
  make_groups(h);
  h.join("m", {.topics = {{"t"}}, .group = "simple"});
  CHECK(fetch_all(h, "simple", {.member = "m", .epoch = 2}) == "t:0=1 t:1=2");
  CHECK(list(h, {}, {"classic"}).size() == 2);
}

TEST_CASE("answers about a group rest on what was last written about it") {
  Harness h;
  make_groups(h);
  commit(h, "simple", "t", {{0, 3}});
  const std::int64_t simple = h.last_offset();
  commit(h, "other", "t", {{0, 3}});
  h.request(DescribeClassicGroups{ids({"simple"}), 5});
  CHECK(h.last_after() == simple);
  delete_groups(h, {"simple"});
  const std::int64_t tombstone = h.last_offset();
  commit(h, "other", "t", {{0, 4}});
  for (const char* id : {"simple", "none"}) {
    h.request(DescribeClassicGroups{ids({id}), 5});
    CHECK(h.last_after() == tombstone);
    h.request(DescribeConsumerGroups{ids({id})});
    CHECK(h.last_after() == tombstone);
    delete_groups(h, {id});
    CHECK(h.last_after() == tombstone);
  }
  list(h);
  CHECK(h.last_after() == h.last_offset());
}

}  // namespace cohort::coordinator::testing
