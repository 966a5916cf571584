// The reactors of the process and their threads. Owned by `app`; made before and destroyed after all that lives on
// them.
#pragma once

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "server/reactor/reactor.h"

namespace cohort::reactor {

class ReactorPool {
 public:
  explicit ReactorPool(std::size_t count);  // > 0
  ~ReactorPool();                           // stops

  std::size_t size() const { return reactors_.size(); }
  Reactor& operator[](std::size_t index) { return *reactors_[index]; }

  void start();
  // Ends the loops and joins the threads; what lives on the reactors was stopped before. Messages that come later wait
  // undelivered and are dropped with the pool. Not from a reactor's thread.
  void stop();

 private:
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::jthread> threads_;
};

}  // namespace cohort::reactor
