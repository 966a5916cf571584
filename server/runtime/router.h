// From a group id to its shard. Owned by `app`, fixed after start-up, used by every reactor.
// A shard on the caller's own reactor is reached by a message too: replies never come inside submit(), so a handler
// needs no second case, and a turn's messages to the own reactor cost no system call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "server/runtime/partition_for.h"
#include "server/runtime/shard.h"
#include "server/runtime/shard_call.h"

namespace cohort::runtime {

template <typename Family>
class Router {
 public:
  using Call = ShardCall<Family>;
  using Request = typename Family::Request;
  using Response = typename Family::Response;

  // A reactor with so many undelivered messages is minutes of a client's patience behind.
  static constexpr std::size_t kMaxBacklog = 200'000;

  // shards: by partition; they outlive the router. max_backlog: of a shard's reactor, in messages; over it, calls are
  // refused with COORDINATOR_NOT_AVAILABLE.
  explicit Router(std::vector<Shard<Family>*> shards, std::size_t max_backlog = kMaxBacklog);

  std::int32_t partitions() const { return static_cast<std::int32_t>(shards_.size()); }
  std::int32_t partition_of(std::string_view id) const { return partition_for(id, partitions()); }

  // From the thread of the reactor that is the call's home.
  void submit(std::int32_t partition, std::unique_ptr<Call> call) const;
  void submit(std::string_view id, std::unique_ptr<Call> call) const { submit(partition_of(id), std::move(call)); }

  struct Part {
    std::int32_t partition = 0;
    Request request;
  };
  // Several requests, answered together: for APIs that name many groups. done runs on the calling reactor, with the
  // responses in the order of the parts; never inside the call, except for no parts at all.
  void scatter(std::vector<Part> parts, std::shared_ptr<const void> frame,
               std::function<void(std::vector<Response>)> done) const;
  // The same request to every shard (ListGroups); responses by partition.
  void broadcast(const Request& request, std::function<void(std::vector<Response>)> done) const;

 private:
  std::vector<Shard<Family>*> shards_;
  std::size_t max_backlog_;
};

using GroupRouter = Router<GroupFamily>;

}  // namespace cohort::runtime
