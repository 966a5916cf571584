// Replay: damaged logs, logs of Kafka, compacted logs, groups of other families.
#include <catch2/catch.hpp>

#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/consumer/records.h"
#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {

using namespace std::chrono_literals;

namespace {

void append_all(Harness& h, const Output& output) {
  for (const auto& record : output.records) h.append(record);
}

ConsumerMember a_member(const std::string& id, std::int32_t epoch, OwnedPartitions assigned) {
  ConsumerMember member;
  member.id = protocol::MemberId(id);
  member.epoch = protocol::MemberEpoch(epoch);
  member.assigned = std::move(assigned);
  return member;
}

OwnedPartitions partition_zero(std::int32_t epoch) {
  return {{protocol::TopicId(protocol::Uuid(1, 1)), {{0, protocol::MemberEpoch(epoch)}}}};
}

}  // namespace

TEST_CASE("tombstones of what is not there are normal") {
  Harness h;
  h.append(member_tombstone("g", "m"));
  h.append(current_assignment_tombstone("g", "m"));
  h.append(target_tombstone("g", "m"));
  h.append(target_metadata_tombstone("g"));
  h.append(regex_tombstone("g", "r"));
  h.append(partition_metadata_tombstone("g"));
  h.append(group_epoch_tombstone("g"));
  h.append(protocol::GroupMetadataRecord{.key = {.group = "g"}, .value = {}});
  CHECK(h.state().consumer_groups.empty());
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.append(member_tombstone("g", "m"));
  h.append(current_assignment_tombstone("g", "m"));
  h.append(target_tombstone("g", "m"));
  CHECK(h.group().members.size() == 1);
}

TEST_CASE("records that contradict the state are errors") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  const auto refused = [&h](const protocol::GroupRecord& record) {
    const auto result = h.try_append(record);
    return !result && result.error().kind == ErrorKind::kCorrupt &&
           result.error().message.find("'g'") != std::string::npos;
  };
  CHECK(refused(group_epoch_tombstone("g")));
  CHECK(refused(target_metadata_tombstone("g")));
  CHECK(refused(member_tombstone("g", "m1")));
  CHECK(refused(protocol::ShareGroupMetadataRecord{.key = {.group_id = "g"}, .value = {{}}}));
  CHECK(refused(current_assignment_record("g", a_member("m2", 2, partition_zero(2)))));
}

TEST_CASE("a deleted group leaves nothing but the offset of its deletion") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.regex = "t"});
  h.run_jobs();
  h.beat("m1", 1);
  CHECK(validate_delete(h.group()) == ErrorCode::kNonEmptyGroup);
  h.leave("m1");
  CHECK(validate_delete(h.group()) == ErrorCode::kNone);
  Output output;
  append_group_tombstones(protocol::GroupId("g"), h.group(), output);
  append_all(h, output);
  CHECK(h.state().consumer_groups.empty());
  CHECK(h.state().last_deletion == h.last_offset());
  CHECK(h.beat("m1", 3).after == h.last_offset());
  CHECK(h.join("m2", {.topics = {{"t"}}}).epoch == 2);  // a new group
}

TEST_CASE("a group with members is deleted in the right order too") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  h.join("m2", {.topics = {{"t"}}});
  Output output;
  append_group_tombstones(protocol::GroupId("g"), h.group(), output);
  append_all(h, output);
  CHECK(h.state().consumer_groups.empty());
}

TEST_CASE("replay makes the same state, also from a compacted log") {
  Harness h;
  h.topic("t", 6);
  h.topic("u", 3);
  h.join("m1", {.topics = {{"t"}}, .assignor = "range"});
  h.join("m2", {.topics = {{"t", "u"}}, .instance = "i"});
  h.beat("m1", 2, {.owned = h.assigned("m1")});
  h.beat("m1", 2, {.owned = h.assigned("m1")});
  h.beat("m2", 3, {.owned = Owned{}, .instance = "i"});
  h.join("m3", {.regex = "u"});
  h.run_jobs();
  h.leave_for_a_while("m2", "i");
  h.join("m4", {.topics = {{"u"}}, .instance = "i"});
  h.leave("m1");
  h.restart(false);
  h.restart(true);
  CHECK(h.group().members.size() == 2);
}

TEST_CASE("assignments without epochs, as Kafka before 4.3 wrote them") {
  Harness h;
  h.topic("t", 2);
  h.join("m1", {.topics = {{"t"}}});
  auto record =
      std::get<protocol::ConsumerGroupCurrentMemberAssignmentRecord>(current_assignment_record("g", h.member("m1")));
  record.value->assigned_partitions.at(0).assignment_epochs.reset();
  h.append(record);
  CHECK(h.member("m1").assigned.begin()->second.at(1) == OwnedPartition{1, protocol::MemberEpoch(2)});
  record.value->assigned_partitions.at(0).assignment_epochs = {{1}};  // does not fit the two partitions
  h.append(record);
  CHECK(h.member("m1").assigned.begin()->second.at(1) == OwnedPartition{1, protocol::MemberEpoch(2)});
  record.value->member_epoch = -2;
  h.append(record);
  CHECK(h.member("m1").assigned.begin()->second.at(1) == OwnedPartition{1, protocol::MemberEpoch(0)});
}

TEST_CASE("what Kafka before 4.1 kept of the topics is tombstoned with the next heartbeat") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  h.append(protocol::ConsumerGroupPartitionMetadataRecord{.key = {.group_id = "g"}, .value = {{}}});
  CHECK(h.group().has_partition_metadata_record);
  h.records();
  h.beat("m1", 2);
  CHECK(h.records() == Lines{"-partition metadata"});
  h.beat("m1", 2);
  CHECK(h.records().empty());
}

TEST_CASE("a member in a state of a newer version must rejoin") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  auto record =
      std::get<protocol::ConsumerGroupCurrentMemberAssignmentRecord>(current_assignment_record("g", h.member("m1")));
  record.value->state = 42;
  h.append(record);
  CHECK(h.member("m1").state == MemberState::kUnknown);
  h.records();
  CHECK(h.beat("m1", 2).error == ErrorCode::kFencedMemberEpoch);
  CHECK(h.records().empty());
  const Answer rejoined = h.join("m1", {.topics = {{"t"}}});
  CHECK(rejoined.epoch == 2);
  CHECK(rejoined.assignment == Owned{{"t", {0}}});
}

TEST_CASE("a member of the classic protocol in a log of Kafka") {
  Harness h;
  h.topic("t", 1);
  h.join("m1", {.topics = {{"t"}}});
  auto record = std::get<protocol::ConsumerGroupMemberMetadataRecord>(member_record("g", h.member("m1")));
  record.value->classic_member_metadata.emplace().session_timeout_ms = 1000;
  h.append(record);
  CHECK(h.describe().members.at(0).member_type == 0);
  CHECK(validate_offset_fetch(h.group(), "m1", 9) == ErrorCode::kIllegalGeneration);
  h.records();
  CHECK(h.beat("m1", 2).error == ErrorCode::kNone);  // it speaks the new protocol now
  CHECK(h.records() == Lines{"member m1 [t]"});
  CHECK(h.describe().members.at(0).member_type == 1);
}

TEST_CASE("the id of a group of another family is taken") {
  Harness h;
  h.topic("t", 1);
  protocol::GroupMetadataValue live;
  live.protocol_type = "consumer";
  live.members.emplace_back().session_timeout = 10'000;
  h.append(protocol::GroupMetadataRecord{.key = {.group = "classic"}, .value = live});
  h.append(protocol::ShareGroupMetadataRecord{.key = {.group_id = "share"}, .value = {{}}});
  h.append(protocol::StreamsGroupMetadataRecord{.key = {.group_id = "streams"}, .value = {{}}});
  h.restart();
  const auto none = h.last_offset();
  for (const std::string id : {"classic", "share", "streams"}) {
    const Answer refused = h.join("m1", {.topics = {{"t"}}, .group = id});
    CHECK(refused.error == ErrorCode::kGroupIdNotFound);
    CHECK(refused.after <= none);
    CHECK(refused.after >= 0);
    CHECK(h.leave("m1", {.group = id}).error == ErrorCode::kGroupIdNotFound);
  }
  CHECK(h.state().foreign_groups.size() == 2);
  CHECK(h.state().classic_groups.size() == 1);
  h.append(protocol::ShareGroupMetadataRecord{.key = {.group_id = "share"}, .value = {}});
  CHECK(h.join("m1", {.topics = {{"t"}}, .group = "share"}).epoch == 2);
}

TEST_CASE("an empty classic group gives way to a consumer group") {
  Harness h;
  h.topic("t", 1);
  h.append(protocol::GroupMetadataRecord{.key = {.group = "g"}, .value = {{}}});
  h.restart();
  CHECK(h.beat("m1", 2).error == ErrorCode::kGroupIdNotFound);
  CHECK(h.join("m1", {.regex = "["}).error == ErrorCode::kInvalidRegularExpression);
  CHECK(h.state().classic_groups.size() == 1);
  CHECK(h.join("m1", {.topics = {{"t"}}}).epoch == 2);
  CHECK(h.records().front() == "-classic g");
  CHECK(h.state().classic_groups.empty());
}

}  // namespace cohort::coordinator::testing
