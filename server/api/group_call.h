// From an API handler to the shard of a group and back: one object that is request, message and continuation in one.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "server/api/call.h"
#include "server/api/common.h"
#include "server/reactor/recycled.h"
#include "server/runtime/router.h"

namespace cohort::api {

namespace detail {
template <typename Continue>
class ContinuedGroupCall final : public runtime::GroupCall, public reactor::Recycled<ContinuedGroupCall<Continue>> {
 public:
  ContinuedGroupCall(coordinator::GroupRequest request, std::shared_ptr<const void> frame, Continue continuation)
      : runtime::GroupCall(std::move(request), std::move(frame)), continue_(std::move(continuation)) {}

 private:
  void complete(std::unique_ptr<runtime::GroupCall> self) override { continue_(*self); }

  Continue continue_;
};
}  // namespace detail

// Asks a shard. continuation(runtime::GroupCall&) runs on the connection's reactor, later, and holds the call; it finds
// the answer in response() and what was asked in request().
// The partition comes from GroupRouter::partition_of(group id), asked before the id is moved into the request.
template <typename Continue>
void ask_partition(const runtime::GroupRouter& groups, std::int32_t partition, coordinator::GroupRequest request,
                   std::shared_ptr<const void> frame, Continue continuation) {
  groups.submit(partition, std::make_unique<detail::ContinuedGroupCall<Continue>>(std::move(request), std::move(frame),
                                                                                  std::move(continuation)));
}

// The error that a shard's refusal becomes (Kafka's CoordinatorOperationExceptionHelper).
ErrorCode refused_error(ErrorCode error);

// The shard's answer to an API whose errors are one code; a refusal is an answer with nothing but that.
template <typename Response>
Response response_of(runtime::GroupCall& done) {
  const auto* refused = std::get_if<coordinator::Refused>(&done.response());
  if (refused == nullptr) return std::move(std::get<Response>(done.response()));
  Response response;
  response.error_code = to_wire(refused_error(refused->error));
  return response;
}

// Splits the ids of an API that names many groups by the shard that has each: pairs of partition and its ids,
// partitions ascending, each id once, in the order of the request.
std::vector<std::pair<std::int32_t, std::vector<protocol::GroupId>>> split_by_shard(const runtime::GroupRouter& groups,
                                                                                    const std::vector<Text>& ids);

}  // namespace cohort::api
