#include "server/coordinator/consumer/current_assignment_builder.h"

#include <algorithm>
#include <utility>

namespace cohort::coordinator {
namespace {

bool contains(const std::vector<OwnedPartition>& partitions, std::int32_t partition) {
  return std::ranges::binary_search(partitions, partition, {}, &OwnedPartition::partition);
}

bool contains(const OwnedPartitions& owned, const protocol::TopicId& topic, std::int32_t partition) {
  const auto it = owned.find(topic);
  return it != owned.end() && contains(it->second, partition);
}

// Does the member still have any of these partitions? When it does not say what it has, it may.
bool owns_any(const OwnedInRequest& owned, const OwnedPartitions& partitions) {
  if (!owned) return true;
  return std::ranges::any_of(*owned, [&partitions](const auto& topic) {
    const auto it = partitions.find(protocol::TopicId(topic.topic_id));
    return it != partitions.end() && std::ranges::any_of(topic.partitions, [&it](std::int32_t partition) {
             return contains(it->second, partition);
           });
  });
}

void merge(std::vector<OwnedPartition>& into, const std::vector<OwnedPartition>& more) {
  for (const OwnedPartition& partition : more) {
    const auto it = std::ranges::lower_bound(into, partition.partition, {}, &OwnedPartition::partition);
    if (it != into.end() && it->partition == partition.partition) {
      *it = partition;
    } else {
      into.insert(it, partition);
    }
  }
}

class Builder {
 public:
  explicit Builder(const Reconciliation& input) : in_(input) {
    const auto it = in_.group.resolved_regexes.find(in_.member.subscribed_regex);
    // A regular expression that is not resolved yet matches nothing.
    if (!in_.member.subscribed_regex.empty() && it != in_.group.resolved_regexes.end()) regex_ = &it->second;
  }

  std::expected<std::optional<ConsumerMember>, MustRejoin> build() const {
    switch (in_.member.state) {
      case MemberState::kStable:
        if (in_.member.epoch.value() != in_.target_epoch.value()) return next(in_.member.epoch);
        if (in_.subscription_changed) return drop_unsubscribed();
        return std::nullopt;
      case MemberState::kUnrevokedPartitions:
        if (!owns_any(in_.owned, in_.member.pending_revocation)) return next(in_.member.epoch);
        if (in_.subscription_changed) return drop_unsubscribed();
        return std::nullopt;
      case MemberState::kUnreleasedPartitions:
        return next(in_.member.epoch);
      case MemberState::kUnknown:
        if (!in_.owned || !in_.owned->empty()) return std::unexpected(MustRejoin{});
        return next(protocol::MemberEpoch(in_.target_epoch.value()));
    }
    return std::nullopt;
  }

 private:
  bool is_subscribed(const protocol::TopicId& id) const {
    const TopicView* topic = in_.metadata.find(id);
    if (topic == nullptr) return false;
    return std::ranges::binary_search(in_.member.subscribed_topics, topic->name) ||
           (regex_ != nullptr && std::ranges::binary_search(regex_->topics, topic->name));
  }

  bool is_free(const protocol::TopicId& topic, std::int32_t partition) const {
    // What the member itself is giving up counts as free: it can only be its own.
    return !in_.group.partition_epochs.contains({topic, partition}) ||
           contains(in_.member.pending_revocation, topic, partition);
  }

  ConsumerMember moved_to(protocol::MemberEpoch epoch, MemberState state, OwnedPartitions assigned,
                          OwnedPartitions pending_revocation) const {
    ConsumerMember member = in_.member;
    member.previous_epoch = std::exchange(member.epoch, epoch);
    member.state = state;
    member.assigned = std::move(assigned);
    member.pending_revocation = std::move(pending_revocation);
    return member;
  }

  // The subscription has shrunk within an epoch: partitions of topics that were dropped go at once.
  std::optional<ConsumerMember> drop_unsubscribed() const {
    OwnedPartitions assigned;
    OwnedPartitions pending = in_.member.pending_revocation;
    for (const auto& [topic, partitions] : in_.member.assigned) {
      if (is_subscribed(topic)) {
        assigned.emplace(topic, partitions);
      } else {
        merge(pending[topic], partitions);
      }
    }
    if (assigned.size() == in_.member.assigned.size()) return std::nullopt;
    if (owns_any(in_.owned, pending)) {
      return moved_to(in_.member.epoch, MemberState::kUnrevokedPartitions, std::move(assigned), std::move(pending));
    }
    // The member has dropped them already.
    return moved_to(in_.member.epoch, in_.member.state, std::move(assigned), in_.member.pending_revocation);
  }

  // The next step towards the target. epoch: the member's if it has to give something up first.
  ConsumerMember next(protocol::MemberEpoch epoch) const {
    const protocol::MemberEpoch target_epoch(in_.target_epoch.value());
    OwnedPartitions kept;
    OwnedPartitions revoked;
    OwnedPartitions added;
    bool has_unreleased = false;

    // 1. What it has: kept when the target has it too, else to be given up.
    static const std::vector<std::int32_t> kNothing;
    const auto wanted = [this](const protocol::TopicId& topic) -> const std::vector<std::int32_t>& {
      const auto it = in_.target.find(topic);
      return it != in_.target.end() && is_subscribed(topic) ? it->second : kNothing;
    };
    for (const auto& [topic, partitions] : in_.member.assigned) {
      const std::vector<std::int32_t>& target = wanted(topic);
      for (const OwnedPartition& partition : partitions) {
        const bool keep = std::ranges::binary_search(target, partition.partition);
        (keep ? kept : revoked)[topic].push_back(partition);
      }
    }
    // 2. What it lacks: added when nobody has it any more.
    for (const auto& [topic, partitions] : in_.target) {
      for (const std::int32_t partition : wanted(topic)) {
        if (contains(kept, topic, partition)) continue;
        if (is_free(topic, partition)) {
          added[topic].push_back({partition, target_epoch});
        } else {
          has_unreleased = true;
        }
      }
    }
    // 3. Giving up goes first, and the member stays in its epoch meanwhile.
    if (!revoked.empty() && owns_any(in_.owned, revoked)) {
      return moved_to(epoch, MemberState::kUnrevokedPartitions, std::move(kept), std::move(revoked));
    }
    for (const auto& [topic, partitions] : added) merge(kept[topic], partitions);
    return moved_to(target_epoch, has_unreleased ? MemberState::kUnreleasedPartitions : MemberState::kStable,
                    std::move(kept), {});
  }

  const Reconciliation& in_;
  const ResolvedRegex* regex_ = nullptr;
};

}  // namespace

std::expected<std::optional<ConsumerMember>, MustRejoin> reconcile(const Reconciliation& input) {
  if (!input.subscription_changed && input.member.is_reconciled_to(input.target_epoch)) return std::nullopt;
  auto result = Builder(input).build();
  if (result && *result && **result == input.member) return std::nullopt;
  return result;
}

}  // namespace cohort::coordinator
