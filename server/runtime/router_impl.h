// The bodies of Router. Included by the file that instantiates it for a family, and by tests.
#pragma once

#include <utility>

#include "protocol/base/check.h"
#include "server/runtime/router.h"
#include "server/runtime/shard_call_impl.h"

namespace cohort::runtime {
namespace detail {

// The parts of one scatter, joined on the home reactor.
template <typename Response>
struct Gather {
  std::vector<Response> responses;
  std::size_t missing = 0;
  std::function<void(std::vector<Response>)> done;
};

template <typename Family>
class PartCall final : public ShardCall<Family> {
 public:
  using Response = typename Family::Response;

  PartCall(typename Family::Request request, std::shared_ptr<const void> frame,
           std::shared_ptr<Gather<Response>> gather, std::size_t place)
      : ShardCall<Family>(std::move(request), std::move(frame)), gather_(std::move(gather)), place_(place) {}

 protected:
  void complete(std::unique_ptr<ShardCall<Family>> /*self*/) override {
    gather_->responses[place_] = std::move(this->response());
    if (--gather_->missing == 0) gather_->done(std::move(gather_->responses));
  }

 private:
  std::shared_ptr<Gather<Response>> gather_;
  std::size_t place_;
};

}  // namespace detail

template <typename Family>
Router<Family>::Router(std::vector<Shard<Family>*> shards, std::size_t max_backlog)
    : shards_(std::move(shards)), max_backlog_(max_backlog) {
  COHORT_CHECK(!shards_.empty());
}

template <typename Family>
void Router<Family>::submit(std::int32_t partition, std::unique_ptr<Call> call) const {
  COHORT_CHECK(partition >= 0 && partition < partitions());
  Shard<Family>& shard = *shards_[static_cast<std::size_t>(partition)];
  call->home_ = reactor::Reactor::current();
  COHORT_CHECK(call->home_ != nullptr, "a call's home is a reactor");
  if (shard.reactor().backlog() >= max_backlog_) [[unlikely]] {
    return Call::answer(std::move(call), Family::refused(protocol::ErrorCode::kCoordinatorNotAvailable,
                                                         "Too many requests wait for this coordinator."));
  }
  call->shard_ = &shard;
  shard.reactor().send(std::move(call));
}

template <typename Family>
void Router<Family>::scatter(std::vector<Part> parts, std::shared_ptr<const void> frame,
                             std::function<void(std::vector<Response>)> done) const {
  if (parts.empty()) return done({});
  auto gather = std::make_shared<detail::Gather<Response>>();
  gather->responses.resize(parts.size());
  gather->missing = parts.size();
  gather->done = std::move(done);
  for (std::size_t place = 0; place < parts.size(); ++place) {
    submit(parts[place].partition,
           std::make_unique<detail::PartCall<Family>>(std::move(parts[place].request), frame, gather, place));
  }
}

template <typename Family>
void Router<Family>::broadcast(const Request& request, std::function<void(std::vector<Response>)> done) const {
  std::vector<Part> parts;
  parts.reserve(shards_.size());
  for (std::int32_t partition = 0; partition < partitions(); ++partition) parts.push_back({partition, request});
  scatter(std::move(parts), nullptr, std::move(done));
}

}  // namespace cohort::runtime
