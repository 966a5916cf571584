// Finds the group and the member that a heartbeat speaks for, or makes them. Part of heartbeat.cc's work.
#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "server/coordinator/consumer/internal.h"

namespace cohort::coordinator {

// Whose heartbeat it is, before the request changes anything. Not movable: the pointers may point into it.
struct Subscriber {
  Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  const ConsumerGroup* group = nullptr;
  const ConsumerMember* member = nullptr;
  bool is_new_member = false;                // not in the group under this id, or about to be made anew there
  const ConsumerMember* replaced = nullptr;  // the static member that gives way
  bool upgraded = false;                     // made_group was a classic group with members

  std::optional<ConsumerGroup> made_group;
  std::optional<ConsumerMember> made_member;
};

// Fills group. Adds what turns a classic group into it: the tombstone of an empty one, and its members' records where
// it has some and may be upgraded.
std::optional<GroupError> find_group(const Step& step, const ConsumerHeartbeat& heartbeat, Subscriber& who);
// Fills the rest; member_id: the request's, or one that the server made. Adds the records that replace a static member.
std::optional<GroupError> find_member(const Step& step, const ConsumerHeartbeat& heartbeat, std::string_view member_id,
                                      Subscriber& who);
// The group has no room, and the member has no place in it yet.
std::optional<GroupError> check_size(const Step& step, const ConsumerGroup& group, std::string_view member_id);
// Adds what the heartbeat changes; the member as it will be.
std::expected<ConsumerMember, GroupError> decide_member(const Step& step, const ConsumerHeartbeat& heartbeat,
                                                        const Subscriber& who);

}  // namespace cohort::coordinator
