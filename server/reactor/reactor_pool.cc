#include "server/reactor/reactor_pool.h"

#include "protocol/base/check.h"

namespace cohort::reactor {

ReactorPool::ReactorPool(std::size_t count) {
  CHECK(count > 0);
  reactors_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) reactors_.push_back(std::make_unique<Reactor>(i, count));
}

ReactorPool::~ReactorPool() {
  stop();
}

void ReactorPool::start() {
  CHECK(threads_.empty(), "started twice");
  threads_.reserve(reactors_.size());
  for (const auto& reactor : reactors_) threads_.emplace_back([&loop = *reactor] { loop.run(); });
}

void ReactorPool::stop() {
  for (const auto& reactor : reactors_) reactor->stop();
  threads_.clear();  // joins
}

void ReactorPool::drop_undelivered() {
  for (const auto& reactor : reactors_) reactor->drop_undelivered();
}

}  // namespace cohort::reactor
