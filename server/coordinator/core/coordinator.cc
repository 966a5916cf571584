#include "server/coordinator/core/coordinator.h"

#include <type_traits>
#include <variant>

#include "server/coordinator/admin/admin.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/apply.h"
#include "server/coordinator/core/step.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {

GroupCoordinator::GroupCoordinator(const config::GroupConfig& config) : config_(config) {}

void GroupCoordinator::handle(ReplyToken token, const GroupRequest& request, const Context& context, Output& output) {
  const Step step{config_, state_, context, output};
  struct Router {
    const Step& step;
    ReplyToken token;
    void operator()(const ConsumerHeartbeat& one) const { handle_consumer_heartbeat(step, token, one); }
    void operator()(const JoinGroup& one) const { handle_join_group(step, token, one); }
    void operator()(const SyncGroup& one) const { handle_sync_group(step, token, one); }
    void operator()(const ClassicHeartbeat& one) const { handle_classic_heartbeat(step, token, one); }
    void operator()(const LeaveGroup& one) const { handle_leave_group(step, token, one); }
    void operator()(const CommitOffsets& one) const { handle_commit_offsets(step, token, one); }
    void operator()(const FetchOffsets& one) const { handle_fetch_offsets(step, token, one); }
    void operator()(const DeleteOffsets& one) const { handle_delete_offsets(step, token, one); }
    void operator()(const DescribeConsumerGroups& one) const { handle_describe_consumer_groups(step, token, one); }
    void operator()(const DescribeClassicGroups& one) const { handle_describe_classic_groups(step, token, one); }
    void operator()(const DeleteGroups& one) const { handle_delete_groups(step, token, one); }
    void operator()(const ListGroups& one) const { handle_list_groups(step, token, one); }
  };
  std::visit(Router{step, token}, request);
}

void GroupCoordinator::on_timer(const TimerKey& key, const Context& context, Output& output) {
  const Step step{config_, state_, context, output};
  switch (key.kind) {
    case TimerKind::kConsumerSession:
      return on_consumer_session_timer(step, key);
    case TimerKind::kConsumerRebalance:
      return on_consumer_rebalance_timer(step, key);
    case TimerKind::kConsumerJoin:
    case TimerKind::kConsumerSync:
      return on_classic_member_timer(step, key);
    case TimerKind::kClassicSession:
      return on_classic_session_timer(step, key);
    case TimerKind::kClassicJoin:
      return on_classic_join_timer(step, key);
    case TimerKind::kClassicSync:
      return on_classic_sync_timer(step, key);
    case TimerKind::kOffsetExpiration:
      return on_offset_expiration_timer(step);
  }
}

void GroupCoordinator::on_job(const JobResult& result, const Context& context, Output& output) {
  const Step step{config_, state_, context, output};
  struct Router {
    const Step& step;
    const protocol::GroupId& group;
    void operator()(const ResolvedRegexes& one) const { on_regexes_resolved(step, group, one); }
    void operator()(const ComputedAssignment& one) const { on_assignment_computed(step, group, one); }
  };
  std::visit(Router{step, result.group}, result.result);
}

void GroupCoordinator::on_metadata(const Context& context, Output& output) {
  const Step step{config_, state_, context, output};
  on_consumer_metadata(step);
  on_offsets_metadata(step);
}

void GroupCoordinator::on_loaded(const Context& context, Output& output) {
  const Step step{config_, state_, context, output};
  on_consumer_loaded(step);
  on_classic_loaded(step);
  on_offsets_loaded(step);
}

void GroupCoordinator::on_refused(const std::vector<protocol::GroupRecord>& records, protocol::ErrorCode error,
                                  const Context& context, Output& output) {
  const Step step{config_, state_, context, output};
  for (const auto& record : records) {
    if (const auto* classic = std::get_if<protocol::GroupMetadataRecord>(&record)) {
      on_classic_refused(step, *classic, error);
    }
  }
}

Result<void> GroupCoordinator::apply(const protocol::GroupRecord& record, std::int64_t offset) {
  return coordinator::apply(state_, record, offset);
}

}  // namespace cohort::coordinator
