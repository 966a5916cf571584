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
  // undelivered. Not from a reactor's thread.
  void stop();
  // After stop(), when nobody sends any more: destroys what was never delivered, while what the messages hold, and what
  // that was made by, is still there.
  void drop_undelivered();

 private:
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::jthread> threads_;
};

}  // namespace cohort::reactor
