#include "server/coordinator/consumer/dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <set>
#include <tuple>
#include <utility>

namespace cohort::coordinator {
namespace {

template <typename... Args>
void line(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  out += '\n';
}

std::string text(const OwnedPartitions& owned) {
  std::string out;
  for (const auto& [topic, partitions] : owned) {
    for (const auto& one : partitions) {
      fmt::format_to(std::back_inserter(out), " {}-{}@{}", topic, one.partition, one.epoch);
    }
  }
  return out;
}

std::string text(const PartitionsByTopic& target) {
  std::string out;
  for (const auto& [topic, partitions] : target) {
    fmt::format_to(std::back_inserter(out), " {}:{}", topic, fmt::join(partitions, ","));
  }
  return out;
}

std::string text(const ConsumerMember& member) {
  const auto& classic = member.classic;
  return fmt::format(
      "epoch {} previous {} state {} instance '{}' rack '{}' client '{}' at '{}' rebalance {} topics {} regex '{}' "
      "assignor '{}' classic {} assigned{} revoking{}",
      member.epoch, member.previous_epoch, std::to_underlying(member.state),
      member.instance_id ? member.instance_id->value() : "-", member.rack_id.value_or("-"), member.client_id,
      member.client_host, member.rebalance_timeout_ms, fmt::join(member.subscribed_topics, ","),
      member.subscribed_regex, member.server_assignor.value_or("-"), classic ? classic->session_timeout_ms : -1,
      text(member.assigned), text(member.pending_revocation));
}

void dump_group(const protocol::GroupId& id, const ConsumerGroup& group, std::string& out) {
  line(out, "consumer group '{}' epoch {} hash {} assignment epoch {} at {} last record {}{}", id, group.epoch,
       group.metadata_hash, group.assignment_epoch, group.assignment_timestamp_ms, group.last_record,
       group.has_partition_metadata_record ? " with partition metadata" : "");
  for (const auto& [member_id, member] : group.members) line(out, "  member '{}' {}", member_id, text(member));
  for (const auto& [member_id, target] : group.target) line(out, "  target '{}'{}", member_id, text(target));
  for (const auto& [regex, resolved] : group.resolved_regexes) {
    line(out, "  regex '{}' version {} at {} topics {}", regex, resolved.version, resolved.timestamp_ms,
         fmt::join(resolved.topics, ","));
  }
  // What is derived, so that a mistake in keeping it shows as well.
  for (const auto& [instance, member_id] : group.static_members)
    line(out, "  instance '{}' is '{}'", instance, member_id);
  for (const auto& [topic, count] : group.subscribed_topics) {
    line(out, "  subscribed '{}' {} by name {} by regex", topic, count.by_name, count.by_regex);
  }
  for (const auto& [regex, count] : group.regex_subscribers) line(out, "  regex '{}' wanted by {}", regex, count);
  for (const auto& [assignor, count] : group.assignor_votes) line(out, "  assignor '{}' wanted by {}", assignor, count);
  std::set<std::tuple<protocol::TopicId, std::int32_t, std::int32_t>> owned;
  for (const auto& [key, epoch] : group.partition_epochs) owned.emplace(key.topic, key.partition, epoch.value());
  for (const auto& [topic, partition, epoch] : owned)
    line(out, "  partition {}-{} at epoch {}", topic, partition, epoch);
}

}  // namespace

void dump_consumer_groups(const GroupState& state, std::string& out) {
  for (const auto& [id, group] : state.consumer_groups) dump_group(id, group, out);
}

}  // namespace cohort::coordinator
