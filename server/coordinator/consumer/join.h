// Finds the group and the member that a heartbeat speaks for, or makes them. Part of heartbeat.cc's work.
#pragma once

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

  std::optional<ConsumerGroup> made_group;
  std::optional<ConsumerMember> made_member;
};

// Fills group. Adds the tombstone of an empty classic group that gives way.
std::optional<GroupError> find_group(const Step& step, const ConsumerHeartbeat& heartbeat, Subscriber& who);
// Fills the rest; member_id: the request's, or one that the server made. Adds the records that replace a static member.
std::optional<GroupError> find_member(const Step& step, const ConsumerHeartbeat& heartbeat, std::string_view member_id,
                                      Subscriber& who);

}  // namespace cohort::coordinator
