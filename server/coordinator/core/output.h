// What a coordinator decided in one step. The shard core applies and logs the records as one atomic batch, in order,
// then acts on the rest. One value instead of callbacks: a failure can never happen half-way through a decision, and a
// test compares plain data.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <variant>
#include <vector>

#include "protocol/base/strong.h"
#include "protocol/base/time.h"
#include "protocol/records/group_record.h"
#include "protocol/types/ids.h"
#include "server/coordinator/core/jobs.h"
#include "server/coordinator/core/request.h"

namespace cohort::coordinator {

// Names one waiting request of this shard's present incarnation. The driver knows what it stands for.
using ReplyToken = Strong<struct ReplyTokenTag, std::uint64_t>;

// A reply leaves when the log is durable up to and including `after`: the last record of what it read. Records of the
// same step are added by the shard core. kNoRecord: rests on nothing.
inline constexpr std::int64_t kNoRecord = -1;
struct Reply {
  ReplyToken token;
  GroupResponse response;  // owns its bytes
  std::int64_t after = kNoRecord;
};

enum class TimerKind : std::uint8_t {
  kConsumerSession,    // a member's session timeout
  kConsumerRebalance,  // a member has to give up partitions within its rebalance timeout
  kConsumerJoin,       // a classic member of a consumer group has to join again
  kConsumerSync,       // ... to ask for its assignment
  kClassicSession,     // a member's session timeout, or that of an id that was given out
  kClassicJoin,        // a group's wait for its members to join
  kClassicSync,        // a group's wait for its members to ask for their assignments
  kOffsetExpiration,   // look for offsets whose retention is over; group and member are empty
};
struct TimerKey {
  TimerKind kind;
  protocol::GroupId group;
  protocol::MemberId member;  // empty for a group's own timers
  friend auto operator<=>(const TimerKey&, const TimerKey&) = default;
};
// Setting a key again replaces its deadline.
struct SetTimer {
  TimerKey key;
  MonoTime deadline;
};
struct CancelTimer {
  TimerKey key;
};
using TimerOp = std::variant<SetTimer, CancelTimer>;

struct Output {
  std::vector<protocol::GroupRecord> records;
  std::vector<Reply> replies;
  std::vector<TimerOp> timers;
  std::vector<Job> jobs;
  // False: the records mean something one by one (a sweep over groups or offsets) and may be cut into several batches
  // when one cannot hold them (Kafka: CoordinatorResult.isAtomic). True before every step, except on_loaded and
  // on_metadata.
  bool atomic = true;

  // Keeps capacity: the shard core uses one Output for all its steps.
  void clear() {
    atomic = true;
    records.clear();
    replies.clear();
    timers.clear();
    jobs.clear();
  }
};

}  // namespace cohort::coordinator
