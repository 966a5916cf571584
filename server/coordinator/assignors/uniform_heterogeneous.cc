#include <algorithm>
#include <map>
#include <span>
#include <vector>

#include "protocol/base/check.h"
#include "server/coordinator/assignors/load_levels.h"
#include "server/coordinator/assignors/ownership.h"
#include "server/coordinator/assignors/uniform_assignor.h"

namespace cohort::coordinator {
namespace {

// Overlapping but different subscriptions may converge slowly; each round about halves the imbalance (Kafka's bound).
constexpr int kMaxRounds = 16;

class HeterogeneousBuilder {
 public:
  explicit HeterogeneousBuilder(const GroupSpec& spec) : ownership_(spec), subscribers_(ownership_.topics().size()) {
    collect_subscribers(spec);
    ownership_.keep_targets(loads_);
    order_topics();
  }

  GroupAssignment build() {
    give_out_unowned();
    balance();
    return ownership_.to_assignment();
  }

 private:
  void collect_subscribers(const GroupSpec& spec);
  void order_topics();
  void give_out_unowned();
  void balance();
  bool balance_topic(std::size_t number);

  Ownership ownership_;
  std::vector<std::vector<std::int32_t>> subscribers_;  // member indexes by topic number, ascending
  std::vector<std::int32_t> loads_;                     // partitions per member, over all topics
  std::vector<std::size_t> order_;                      // topic numbers in the order of work
  LoadLevels levels_{loads_};

  // Of the topic being balanced: its partitions grouped by owner, and each member's share of that array.
  struct Share {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<std::int32_t> grouped_;
  std::vector<Share> shares_;
};

void HeterogeneousBuilder::collect_subscribers(const GroupSpec& spec) {
  std::vector<std::uint32_t> numbers;
  for (std::size_t member = 0; member < spec.members.size(); ++member) {
    ownership_.topic_numbers(*spec.members[member].topics, numbers);
    for (const std::uint32_t number : numbers) subscribers_[number].push_back(static_cast<std::int32_t>(member));
  }
  shares_.resize(spec.members.size());
}

// Topics with many partitions per subscriber first: they weigh most, the later ones even out. Then those with few
// subscribers, which leave least choice.
void HeterogeneousBuilder::order_topics() {
  for (std::size_t number = 0; number < subscribers_.size(); ++number) {
    if (!subscribers_[number].empty()) order_.push_back(number);
  }
  std::ranges::sort(order_, [this](std::size_t a, std::size_t b) {
    const auto partitions_a = static_cast<std::size_t>(ownership_.topics()[a].partitions);
    const auto partitions_b = static_cast<std::size_t>(ownership_.topics()[b].partitions);
    // partitions / subscribers, compared without division; both fit in 32 bits.
    const std::size_t weight_a = partitions_a * subscribers_[b].size();
    const std::size_t weight_b = partitions_b * subscribers_[a].size();
    if (weight_a != weight_b) return weight_a > weight_b;
    if (subscribers_[a].size() != subscribers_[b].size()) return subscribers_[a].size() < subscribers_[b].size();
    return a < b;
  });
}

void HeterogeneousBuilder::give_out_unowned() {
  for (const std::size_t number : order_) {
    const auto owners = ownership_.owners(ownership_.topics()[number]);
    if (std::ranges::find(owners, Ownership::kNobody) == owners.end()) continue;
    levels_.start(subscribers_[number]);
    for (std::int32_t& owner : owners) {
      if (owner != Ownership::kNobody) continue;
      owner = levels_.next_lowest();
      ++loads_[static_cast<std::size_t>(owner)];
    }
  }
}

// Goes around the topics until a whole round moved nothing.
void HeterogeneousBuilder::balance() {
  std::vector<std::size_t> movable;
  std::ranges::copy_if(order_, std::back_inserter(movable),
                       [this](std::size_t number) { return subscribers_[number].size() >= 2; });
  std::size_t quiet = 0;  // topics in a row that needed nothing
  for (int round = 0; round < kMaxRounds; ++round) {
    for (const std::size_t number : movable) {
      quiet = balance_topic(number) ? 1 : quiet + 1;
      if (quiet == movable.size()) return;
    }
  }
}

// Moves partitions of one topic from its most to its least loaded subscribers. Returns whether anything moved.
bool HeterogeneousBuilder::balance_topic(std::size_t number) {
  if (levels_.start(subscribers_[number]) <= 1) return false;
  const auto owners = ownership_.owners(ownership_.topics()[number]);

  // Group the partitions by owner, ascending within: a counting sort over the subscribers.
  for (const std::int32_t member : subscribers_[number]) shares_[static_cast<std::size_t>(member)] = {};
  for (const std::int32_t owner : owners) ++shares_[static_cast<std::size_t>(owner)].end;
  std::size_t position = 0;
  for (const std::int32_t member : subscribers_[number]) {
    Share& share = shares_[static_cast<std::size_t>(member)];
    const std::size_t count = share.end;
    share = {position, position};
    position += count;
  }
  grouped_.resize(owners.size());
  for (std::size_t partition = 0; partition < owners.size(); ++partition) {
    grouped_[shares_[static_cast<std::size_t>(owners[partition])].end++] = static_cast<std::int32_t>(partition);
  }

  bool moved = false;
  while (!levels_.balanced()) {
    // 1. The most loaded member that has a partition of this topic.
    std::int32_t from = levels_.next_highest();
    while (from >= 0 && shares_[static_cast<std::size_t>(from)].begin == shares_[static_cast<std::size_t>(from)].end) {
      levels_.exclude_highest();
      from = levels_.next_highest();
    }
    if (from < 0) break;
    // 2. The least loaded one. Only now both levels are known.
    const std::int32_t to = levels_.next_lowest();
    if (levels_.balanced()) break;
    // 3. Move the giver's last partition.
    const auto partition = static_cast<std::size_t>(grouped_[--shares_[static_cast<std::size_t>(from)].end]);
    owners[partition] = to;
    --loads_[static_cast<std::size_t>(from)];
    ++loads_[static_cast<std::size_t>(to)];
    moved = true;
  }
  return moved;
}

}  // namespace

GroupAssignment assign_heterogeneous(const GroupSpec& spec) {
  return HeterogeneousBuilder(spec).build();
}

}  // namespace cohort::coordinator
