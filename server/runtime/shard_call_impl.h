// The bodies of ShardCall. Included by the file that instantiates the driver for a family, and by tests.
#pragma once

#include "protocol/base/check.h"
#include "server/runtime/shard.h"
#include "server/runtime/shard_call.h"

namespace cohort::runtime {

template <typename Family>
void ShardCall<Family>::deliver(std::unique_ptr<reactor::Message> self) {
  std::unique_ptr<ShardCall> call(static_cast<ShardCall*>(self.release()));
  if (shard_ != nullptr) {
    shard_->take(std::move(call));
  } else {
    complete(std::move(call));
  }
}

template <typename Family>
void ShardCall<Family>::answer(std::unique_ptr<ShardCall> self, Response response) {
  self->response_ = std::move(response);
  self->shard_ = nullptr;
  reactor::Reactor& home = *self->home_;
  home.send(std::move(self));
}

}  // namespace cohort::runtime
