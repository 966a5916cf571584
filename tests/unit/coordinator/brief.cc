// Records in one short line each, for exact lists in tests:
//   member m1 [a,b] · -member m1 · group 2 · target m1 t:0,1 · assignment 2 · current m1 2<0 stable t:0@2 · regex t.*
//   [t] · offset g t:0 = 42@3 'metadata' · -offset g t:0 · classic g generation 1 consumer/range leader m1 m1=share ·
//   -classic g
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/unit/coordinator/harness.h"

namespace cohort::coordinator::testing {
namespace {

struct Brief {
  const std::map<protocol::Uuid, std::string>& names;

  std::string name(const protocol::Uuid& id) const {
    const auto it = names.find(id);
    return it != names.end() ? it->second : id.to_string();
  }
  std::string owned(
      const std::vector<protocol::ConsumerGroupCurrentMemberAssignmentValue::TopicPartitions>& all) const {
    std::string out;
    for (const auto& topic : all) {
      out += ' ' + name(topic.topic_id) + ':';
      for (std::size_t i = 0; i < topic.partitions.size(); ++i) {
        out += fmt::format("{}{}@{}", i == 0 ? "" : ",", topic.partitions[i], topic.assignment_epochs->at(i));
      }
    }
    return out;
  }

  std::string operator()(const protocol::ConsumerGroupMemberMetadataRecord& r) const {
    if (!r.value) return fmt::format("-member {}", r.key.member_id);
    const auto& regex = r.value->subscribed_topic_regex;
    return fmt::format("member {} [{}]{}{}", r.key.member_id, fmt::join(r.value->subscribed_topic_names, ","),
                       regex && !regex->empty() ? " ~" + regex->str() : "",
                       r.value->instance_id ? " is " + r.value->instance_id->str() : "");
  }
  std::string operator()(const protocol::ConsumerGroupMetadataRecord& r) const {
    return r.value ? fmt::format("group {}", r.value->epoch) : "-group";
  }
  std::string operator()(const protocol::ConsumerGroupTargetAssignmentMemberRecord& r) const {
    if (!r.value) return fmt::format("-target {}", r.key.member_id);
    std::string out = fmt::format("target {}", r.key.member_id);
    for (const auto& topic : r.value->topic_partitions) {
      out += fmt::format(" {}:{}", name(topic.topic_id), fmt::join(topic.partitions, ","));
    }
    return out;
  }
  std::string operator()(const protocol::ConsumerGroupTargetAssignmentMetadataRecord& r) const {
    return r.value ? fmt::format("assignment {}", r.value->assignment_epoch) : "-assignment";
  }
  std::string operator()(const protocol::ConsumerGroupCurrentMemberAssignmentRecord& r) const {
    if (!r.value) return fmt::format("-current {}", r.key.member_id);
    static constexpr const char* kStates[] = {"stable", "unrevoked", "unreleased"};
    const std::string pending = owned(r.value->partitions_pending_revocation);
    return fmt::format("current {} {}<{} {}{}{}{}", r.key.member_id, r.value->member_epoch,
                       r.value->previous_member_epoch, kStates[r.value->state], owned(r.value->assigned_partitions),
                       pending.empty() ? "" : " revoking", pending);
  }
  std::string operator()(const protocol::ConsumerGroupRegularExpressionRecord& r) const {
    if (!r.value) return fmt::format("-regex {}", r.key.regular_expression);
    return fmt::format("regex {} [{}]", r.key.regular_expression, fmt::join(r.value->topics, ","));
  }
  std::string operator()(const protocol::ConsumerGroupPartitionMetadataRecord& r) const {
    return r.value ? "partition metadata" : "-partition metadata";
  }
  std::string operator()(const protocol::GroupMetadataRecord& r) const {
    if (!r.value) return fmt::format("-classic {}", r.key.group);
    std::string out =
        fmt::format("classic {} generation {} {}/{} leader {}", r.key.group, r.value->generation,
                    r.value->protocol_type, r.value->protocol.value_or("-"), r.value->leader.value_or("-"));
    for (const auto& member : r.value->members) {
      fmt::format_to(std::back_inserter(out), " {}={}", member.member_id, member.assignment.text());
    }
    return out;
  }
  std::string operator()(const protocol::OffsetCommitRecord& r) const {
    if (!r.value) return fmt::format("-offset {} {}:{}", r.key.group, r.key.topic, r.key.partition);
    std::string out = fmt::format("offset {} {}:{} = {}", r.key.group, r.key.topic, r.key.partition, r.value->offset);
    if (r.value->leader_epoch != -1) out += fmt::format("@{}", r.value->leader_epoch);
    if (!r.value->metadata.empty()) out += fmt::format(" '{}'", r.value->metadata);
    return out;
  }
  template <typename Other>
  std::string operator()(const Other& r) const {
    return protocol::to_line(r);
  }
};

}  // namespace

std::string Harness::brief(const protocol::GroupRecord& record) const {
  return std::visit(Brief{names_}, record);
}

}  // namespace cohort::coordinator::testing
