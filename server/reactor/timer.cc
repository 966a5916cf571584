#include "server/reactor/timer.h"

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "server/reactor/reactor.h"

namespace cohort::reactor {

struct Timer::State {
  State(boost::asio::io_context& io, std::function<void()> fire) : timer(io), on_fire(std::move(fire)) {}

  boost::asio::steady_timer timer;
  std::function<void()> on_fire;
  std::uint64_t setting = 0;  // a handler that was queued before the last set or cancel must not run
  bool closed = false;
};

Timer::Timer(Reactor& reactor, std::function<void()> on_fire)
    : state_(std::make_shared<State>(reactor.io(), std::move(on_fire))) {}

Timer::~Timer() {
  state_->closed = true;
  state_->timer.cancel();
}

void Timer::set(MonoTime deadline) {
  const std::uint64_t setting = ++state_->setting;
  state_->timer.expires_at(std::chrono::steady_clock::time_point(deadline.time_since_epoch()));
  state_->timer.async_wait([state = state_, setting](const boost::system::error_code& error) {
    if (error || state->closed || state->setting != setting) return;
    state->on_fire();
  });
}

void Timer::cancel() {
  ++state_->setting;
  state_->timer.cancel();
}

}  // namespace cohort::reactor
