// The group coordinator of one shard: all groups and offsets of one partition of __consumer_offsets.
// Owned and called by ShardCore on the shard's thread; pure (see ARCHITECTURE.md).
//
// Why one class in front of the families: a request names a group, and only here is it known of which type that group
// is. It routes and nothing else; the work is done in consumer/, classic/, offsets/ and admin/.
#pragma once

#include <memory>

#include "server/config/group_config.h"
#include "server/coordinator/core/context.h"
#include "server/coordinator/core/output.h"
#include "server/coordinator/core/state.h"

namespace cohort::coordinator {

class GroupCoordinator {
 public:
  // config: fixed values of this process; must outlive the coordinator.
  explicit GroupCoordinator(const config::GroupConfig& config);

  // Decides. Adds to output one reply for the token, or keeps the token until a later step answers it (JoinGroup,
  // SyncGroup). The request may borrow from its frame.
  void handle(ReplyToken token, const GroupRequest& request, const Context& context, Output& output);
  // A timer came due. Stale ones (the deadline moved, the member is gone) are normal and add at most a SetTimer.
  void on_timer(const TimerKey& key, const Context& context, Output& output);
  void on_job(const JobResult& result, const Context& context, Output& output);
  // context.metadata is newer than before: subscriptions are looked at again, offsets of deleted topic ids tombstoned.
  void on_metadata(const Context& context, Output& output);
  // All records of the log were applied: starts timers anew and sweeps what a crash left behind.
  void on_loaded(const Context& context, Output& output);

  // The records of the last step were not written, and its replies were refused with this error. What the step did to
  // soft state is taken back; whoever else waits for what it wanted to bring about is answered. Adds no records.
  void on_refused(const std::vector<protocol::GroupRecord>& records, protocol::ErrorCode error, const Context& context,
                  Output& output);

  // The only mutator of hard state. offset: the record's place in the log. An impossible record (damaged log) is an
  // error that fails the shard; tombstones of what is not there are normal.
  Result<void> apply(const protocol::GroupRecord& record, std::int64_t offset);

  const GroupState& state() const { return state_; }

 private:
  const config::GroupConfig& config_;
  GroupState state_;
};

}  // namespace cohort::coordinator
