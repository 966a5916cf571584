// One request to one shard for its whole life: made by an API handler on the connection's reactor (its home), carried
// to the shard, kept there until the log allows the answer, carried home, completed. One object, two hops. Owned by
// whoever holds the unique_ptr: home, mailbox or shard. The connection may be gone when complete() runs.
//
// Why the frame goes along: the request borrows from it. Request, frame and response are all destroyed at home, where
// they were allocated.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "server/reactor/message.h"
#include "server/reactor/reactor.h"
#include "server/runtime/group_family.h"

namespace cohort::runtime {

template <typename Family>
class Shard;
template <typename Family>
class Router;

template <typename Family>
class ShardCall : public reactor::Message {
 public:
  using Request = typename Family::Request;
  using Response = typename Family::Response;

  explicit ShardCall(Request request, std::shared_ptr<const void> frame = nullptr)
      : request_(std::move(request)), frame_(std::move(frame)) {}

  const Request& request() const { return request_; }
  Response& response() { return response_; }

 protected:
  // On the home reactor, exactly once, never inside Router::submit(). response() is set.
  virtual void complete(std::unique_ptr<ShardCall> self) = 0;

 private:
  friend class Shard<Family>;
  friend class Router<Family>;

  void deliver(std::unique_ptr<reactor::Message> self) final;
  static void answer(std::unique_ptr<ShardCall> self, Response response);  // on the shard's or the home reactor

  Request request_;
  std::shared_ptr<const void> frame_;
  Response response_{};
  reactor::Reactor* home_ = nullptr;
  Shard<Family>* shard_ = nullptr;  // null on the way home
};

using GroupCall = ShardCall<GroupFamily>;

}  // namespace cohort::runtime
