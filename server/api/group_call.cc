#include "server/api/group_call.h"

#include <map>
#include <set>

namespace cohort::api {

ErrorCode refused_error(ErrorCode error) {
  switch (error) {
    case ErrorCode::kUnknownTopicOrPartition:
    case ErrorCode::kNotEnoughReplicas:
    case ErrorCode::kRequestTimedOut:
      return ErrorCode::kCoordinatorNotAvailable;
    case ErrorCode::kNotLeaderOrFollower:
    case ErrorCode::kKafkaStorageError:
      return ErrorCode::kNotCoordinator;
    case ErrorCode::kMessageTooLarge:
    case ErrorCode::kRecordListTooLarge:
    case ErrorCode::kInvalidFetchSize:
      return ErrorCode::kUnknownServerError;
    default:
      return error;
  }
}

std::vector<std::pair<std::int32_t, std::vector<protocol::GroupId>>> split_by_shard(const runtime::GroupRouter& groups,
                                                                                    const std::vector<Text>& ids) {
  std::map<std::int32_t, std::vector<protocol::GroupId>> by_shard;
  std::set<std::string_view> seen;
  for (const Text& id : ids) {
    if (seen.insert(id.view()).second) by_shard[groups.partition_of(id)].emplace_back(id.str());
  }
  return {std::make_move_iterator(by_shard.begin()), std::make_move_iterator(by_shard.end())};
}

}  // namespace cohort::api
