// One deadline of an object that lives on a reactor. A shard or a connection has one and keeps its own order of what is
// due; Asio's timer queue is not made for a timer per group member that moves with every heartbeat.
// Owned by that object, used on its reactor's thread only.
#pragma once

#include <functional>
#include <memory>

#include "protocol/base/time.h"

namespace cohort::reactor {

class Reactor;

class Timer {
 public:
  // on_fire runs on the reactor's thread with the clock at or after the deadline, and may set the timer again or
  // destroy it.
  Timer(Reactor& reactor, std::function<void()> on_fire);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();  // on_fire is not called any more

  void set(MonoTime deadline);  // replaces the former one
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;  // outlives the timer while Asio holds its handler
};

}  // namespace cohort::reactor
