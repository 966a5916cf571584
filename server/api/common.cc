#include "server/api/common.h"

#include "server/topics/topic_name.h"

namespace cohort::api {

std::optional<Text> rack(const Call& call) {
  return optional_text(call.services().values().rack);
}

ErrorCode missing_topic_error(std::string_view name) {
  return topics::why_invalid_name(name) ? ErrorCode::kInvalidTopicException : ErrorCode::kUnknownTopicOrPartition;
}

}  // namespace cohort::api
