#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "server/coordinator/admin/admin.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/consumer/consumer_groups.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {
namespace {

using protocol::ErrorCode;

constexpr std::int16_t kFirstVersionWithNotFound = 6;  // of DescribeGroups; before, a missing group is Dead (KIP-1043)

std::string not_found(const FoundGroup& group, std::string_view id, std::string_view type) {
  return group.exists() ? fmt::format("Group {} is not a {} group.", id, type) : fmt::format("Group {} not found.", id);
}

protocol::DescribeGroupsResponse::DescribedGroup describe_classic(const Step& step, const FoundGroup& group,
                                                                  const protocol::GroupId& group_id,
                                                                  std::int16_t version) {
  const std::string& id = group_id.value();
  if (group.classic != nullptr) return describe(id, *group.round);
  if (group.consumer != nullptr && step.config.describe_compat) {
    return describe_as_classic(group_id, *group.consumer, *step.context.metadata,
                               step.config.consumer_assignors.front());
  }
  protocol::DescribeGroupsResponse::DescribedGroup described;
  described.group_id = id;
  if (group.is_simple()) {
    described.group_state = "Empty";
  } else {
    described.group_state = "Dead";
    if (version >= kFirstVersionWithNotFound) {
      described.error_code = to_wire(ErrorCode::kGroupIdNotFound);
      described.error_message = protocol::Text(not_found(group, id, "classic"));
    }
  }
  return described;
}

}  // namespace

void handle_describe_consumer_groups(const Step& step, ReplyToken token, const DescribeConsumerGroups& request) {
  ConsumerGroupDescriptions described;
  std::int64_t after = kNoRecord;
  for (const protocol::GroupId& id : request.groups) {
    const FoundGroup group = find_group(step.state, id.value());
    after = std::max(after, rests_on(step.state, group));
    if (group.consumer != nullptr) {
      described.push_back(
          describe(id, *group.consumer, *step.context.metadata, step.config.consumer_assignors.front()));
      continue;
    }
    auto& error = described.emplace_back();
    error.group_id = id.value();
    if (id.value().empty()) {
      error.error_code = to_wire(ErrorCode::kInvalidGroupId);
    } else {
      error.error_code = to_wire(ErrorCode::kGroupIdNotFound);
      error.error_message = protocol::Text(not_found(group, id.value(), "consumer"));
    }
  }
  step.output.replies.push_back({token, std::move(described), after});
}

void handle_describe_classic_groups(const Step& step, ReplyToken token, const DescribeClassicGroups& request) {
  ClassicGroupDescriptions described;
  std::int64_t after = kNoRecord;
  for (const protocol::GroupId& id : request.groups) {
    const FoundGroup group = find_group(step.state, id.value());
    described.push_back(describe_classic(step, group, id, request.version));
    after = std::max(after, rests_on(step.state, group));
  }
  step.output.replies.push_back({token, std::move(described), after});
}

}  // namespace cohort::coordinator
