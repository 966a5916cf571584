#include "server/coordinator/assignors/range_assignor.h"

#include <algorithm>
#include <numeric>

#include "server/coordinator/assignors/ownership.h"

namespace cohort::coordinator {
namespace {

// A topic while its ranges are handed out.
struct Ranges {
  std::int32_t subscribers = 0;
  std::int32_t quota = 0;
  std::int32_t extras = 0;  // so many of the next members get one more
  std::int32_t next = 0;    // first partition of the next range
};

// Static members by instance id, then dynamic ones by member id.
bool comes_before(const MemberSpec& a, const MemberSpec& b) {
  if (a.instance_id && b.instance_id && *a.instance_id != *b.instance_id) return *a.instance_id < *b.instance_id;
  if (a.instance_id.has_value() != b.instance_id.has_value()) return a.instance_id.has_value();
  return a.id < b.id;
}

}  // namespace

GroupAssignment RangeAssignor::assign(const GroupSpec& spec) const {
  std::vector<std::size_t> order(spec.members.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order,
                    [&](std::size_t a, std::size_t b) { return comes_before(spec.members[a], spec.members[b]); });

  Ownership ownership(spec);
  std::vector<Ranges> ranges(ownership.topics().size());
  // Members mostly share their subscription, so topic numbers are looked up once per subscription, not per member.
  std::map<const std::vector<protocol::TopicId>*, std::vector<std::uint32_t>> numbers_of;
  for (const MemberSpec& member : spec.members) {
    const auto [entry, is_new] = numbers_of.try_emplace(member.topics.get());
    if (is_new) ownership.topic_numbers(*member.topics, entry->second);
    for (const std::uint32_t number : entry->second) ++ranges[number].subscribers;
  }
  for (std::size_t number = 0; number < ranges.size(); ++number) {
    Ranges& range = ranges[number];
    if (range.subscribers == 0) continue;
    range.quota = ownership.topics()[number].partitions / range.subscribers;
    range.extras = ownership.topics()[number].partitions % range.subscribers;
  }

  for (const std::size_t member : order) {
    for (const std::uint32_t number : numbers_of.at(spec.members[member].topics.get())) {
      Ranges& range = ranges[number];
      std::int32_t count = range.quota;
      if (range.extras > 0) {
        --range.extras;
        ++count;
      }
      if (count == 0) continue;
      const auto owners = ownership.owners(ownership.topics()[number]);
      std::ranges::fill(owners.subspan(static_cast<std::size_t>(range.next), static_cast<std::size_t>(count)),
                        static_cast<std::int32_t>(member));
      range.next += count;
    }
  }
  return ownership.to_assignment();
}

}  // namespace cohort::coordinator
