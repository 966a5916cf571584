#include "protocol/base/check.h"
#include "server/coordinator/assignors/ownership.h"
#include "server/coordinator/assignors/uniform_assignor.h"

namespace cohort::coordinator {
namespace {

struct Shares {
  std::vector<std::int32_t> surplus;  // how many partitions each member must give up
  std::vector<std::int32_t> room;     // how many it may still get
};

// How many partitions each member ends up with. `partitions % members` of them get one above the minimum: those that
// have more than the minimum already, in the order of their ids, and, when these are too few, the last members.
Shares share_out(const std::vector<std::int32_t>& sizes, std::size_t partitions) {
  const auto members = sizes.size();
  const auto minimum = static_cast<std::int32_t>(partitions / members);
  std::size_t extras = partitions % members;
  Shares shares{std::vector<std::int32_t>(members), std::vector<std::int32_t>(members)};
  for (std::size_t member = 0; member < members; ++member) {
    const bool must_take_extra = members - member <= extras;
    const bool takes_extra = extras > 0 && (must_take_extra || sizes[member] > minimum);
    const std::int32_t quota = minimum + (takes_extra ? 1 : 0);
    if (takes_extra) --extras;
    if (sizes[member] > quota) shares.surplus[member] = sizes[member] - quota;
    if (sizes[member] < quota) shares.room[member] = quota - sizes[member];
  }
  return shares;
}

}  // namespace

GroupAssignment assign_homogeneous(const GroupSpec& spec) {
  // 1. Everyone keeps what it has.
  Ownership ownership(spec);
  std::vector<std::int32_t> sizes;
  ownership.keep_targets(sizes);
  const auto owners = ownership.owners();
  Shares shares = share_out(sizes, owners.size());

  // 2. Collect what has no owner, then what is above a member's share: its last partitions.
  std::vector<std::size_t> free;
  std::vector<std::size_t> given_up;
  for (std::size_t partition = owners.size(); partition-- > 0;) {
    const std::int32_t owner = owners[partition];
    if (owner == Ownership::kNobody) {
      free.push_back(partition);
    } else if (std::int32_t& surplus = shares.surplus[static_cast<std::size_t>(owner)]; surplus > 0) {
      --surplus;
      given_up.push_back(partition);
    }
  }
  free.insert(free.begin(), given_up.begin(),
              given_up.end());  // taken from the back: never owned ones go first, in order

  // 3. Fill the members up.
  for (std::size_t member = 0; member < shares.room.size(); ++member) {
    for (std::int32_t& room = shares.room[member]; room > 0; --room) {
      CHECK(!free.empty(), "shares add up to more than the partitions");
      owners[free.back()] = static_cast<std::int32_t>(member);
      free.pop_back();
    }
  }
  CHECK(free.empty(), "shares add up to less than the partitions");
  return ownership.to_assignment();
}

GroupAssignment UniformAssignor::assign(const GroupSpec& spec) const {
  if (spec.members.empty()) return {};
  return spec.type == SubscriptionType::kHomogeneous ? assign_homogeneous(spec) : assign_heterogeneous(spec);
}

}  // namespace cohort::coordinator
