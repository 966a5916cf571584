// Subscriptions by regular expression. They are resolved by a job, all of a group together, so that a refresh brings at
// most one rebalance. Rules and intervals are Kafka's (GroupMetadataManager.maybeUpdateRegularExpressions).
#include <algorithm>
#include <iterator>
#include <limits>

#include "protocol/base/log.h"
#include "server/coordinator/consumer/internal.h"
#include "server/coordinator/consumer/records.h"
#include "server/coordinator/regex/topic_regex.h"

namespace cohort::coordinator {
namespace {

// Nothing is resolved again sooner than this, whatever happens to topics and members.
constexpr std::int64_t kLeastIntervalMs = 10'000;

struct LastResolution {
  std::int64_t timestamp_ms = 0;
  std::int64_t version = std::numeric_limits<std::int64_t>::max();
};

LastResolution last_resolution(const ConsumerGroup& group) {
  LastResolution last;
  for (const auto& [regex, resolved] : group.resolved_regexes) {
    last.timestamp_ms = std::max(last.timestamp_ms, resolved.timestamp_ms);
    last.version = std::min(last.version, resolved.version);
  }
  return last;
}

bool is_resolving(const Step& step, std::string_view id) {
  const auto it = step.state.soft.resolving.find(id);
  return it != step.state.soft.resolving.end() && step.context.now.mono - it->second < kJobPatience;
}

// regexes: what the group subscribes to after this step. unresolved: one of them is known to be new.
bool is_due(const Step& step, std::string_view id, const ConsumerGroup& group, std::size_t regexes, bool unresolved) {
  if (regexes == 0 || is_resolving(step, id)) return false;
  if (group.resolved_regexes.empty()) return true;
  const LastResolution last = last_resolution(group);
  const std::int64_t age_ms = step.context.now.wall_ms - last.timestamp_ms;
  if (age_ms >= 0 && age_ms <= kLeastIntervalMs) return false;  // a clock that was set back must not block for long
  if (unresolved || regexes != group.resolved_regexes.size()) return true;
  if (last.version < step.state.soft.new_topics_version) return true;
  if (last.version > step.context.metadata->version()) return true;  // of another catalogue: the log was moved here
  return age_ms < 0 || age_ms > step.config.consumer_regex_refresh_interval.count();
}

void start_resolution(const Step& step, std::string_view id, std::set<std::string> regexes) {
  protocol::GroupId group{std::string(id)};
  step.state.soft.resolving.insert_or_assign(group, step.context.now.mono);
  step.output.jobs.push_back({[group, regexes = std::move(regexes), metadata = step.context.metadata,
                               wall_ms = step.context.now.wall_ms](const std::stop_token& ending) -> JobResult {
    ResolvedRegexes resolved = resolve_regexes(*metadata, regexes, ending);
    resolved.started_wall_ms = wall_ms;
    return {group, std::move(resolved)};
  }});
}

std::set<std::string> regexes_of(const ConsumerGroup& group) {
  std::set<std::string> regexes;
  for (const auto& [regex, count] : group.regex_subscribers) regexes.insert(regex);
  return regexes;
}

}  // namespace

bool is_resolution_due(const Step& step, std::string_view id, const ConsumerGroup& group) {
  return !group.regex_subscribers.empty() && is_due(step, id, group, group.regex_subscribers.size(), false);
}

std::expected<RegexChange, GroupError> update_regexes(const Step& step, std::string_view id, const ConsumerGroup& group,
                                                      const ConsumerMember& old, const ConsumerMember& member) {
  RegexChange change = RegexChange::kNone;
  bool is_new = false;
  std::set<std::string> regexes = regexes_of(group);

  // 1. The member's own expression.
  const std::string& before = old.subscribed_regex;
  const std::string& after = member.subscribed_regex;
  if (before != after) {
    change = RegexChange::kChanged;
    if (!before.empty() && count_of(group.regex_subscribers, before) == 1) {
      step.output.records.push_back(regex_tombstone(id, before));
      regexes.erase(before);
    }
    if (after.empty()) {
      change = RegexChange::kChangedAndResolved;
    } else if (count_of(group.regex_subscribers, after) == 0) {
      if (auto reason = regex_error(after)) {
        return std::unexpected(GroupError{protocol::ErrorCode::kInvalidRegularExpression, std::move(*reason)});
      }
      regexes.insert(after);
      is_new = true;
    } else if (group.resolved_regexes.contains(after)) {
      change = RegexChange::kChangedAndResolved;
    }
  }

  // 2. All of the group, when it is time.
  if (is_due(step, id, group, regexes.size(), is_new)) start_resolution(step, id, std::move(regexes));
  return change;
}

void on_regexes_resolved(const Step& step, const protocol::GroupId& id, const ResolvedRegexes& result) {
  step.state.soft.resolving.erase(id);
  const ConsumerGroup* group = step.state.find_consumer_group(id.value());
  if (group == nullptr) return;

  SubscriptionCounts subscribed = group->subscribed_topics;
  bool changed = false;
  for (const auto& [regex, topics] : result.topics_by_regex) {
    if (count_of(group->regex_subscribers, regex) == 0) continue;  // nobody wants it any more
    const ResolvedRegex resolved{.topics = {topics.begin(), topics.end()},
                                 .version = result.metadata_version,
                                 .timestamp_ms = result.started_wall_ms};
    const auto it = group->resolved_regexes.find(regex);
    static const std::vector<protocol::TopicName> kNone;
    const auto& old_topics = it != group->resolved_regexes.end() ? it->second.topics : kNone;
    if (old_topics != resolved.topics) {
      changed = true;
      for (const auto& topic : old_topics) add_by_regex(subscribed, topic, -1);
      for (const auto& topic : resolved.topics) add_by_regex(subscribed, topic, 1);
    }
    step.output.records.push_back(regex_record(id.value(), regex, resolved));
  }

  const std::int64_t hash = metadata_hash(subscribed, *step.context.metadata);
  if (!changed && hash == group->metadata_hash) return;
  const protocol::GroupEpoch epoch(group->epoch.value() + 1);
  step.output.records.push_back(group_epoch_record(id.value(), epoch, hash));
  group->soft.checked_version = step.context.metadata->version();
  group->soft.checked_epoch = epoch;
  log::info(kLogName, "[{}] epoch {} after its regular expressions were resolved", id, epoch);
}

}  // namespace cohort::coordinator
