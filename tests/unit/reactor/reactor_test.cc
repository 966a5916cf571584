#include "server/reactor/reactor.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/reactor/reactor_pool.h"
#include "server/reactor/timer.h"

namespace cohort::reactor {
namespace {

// Runs f on the reactor's thread and waits for it.
void on(Reactor& reactor, std::function<void()> f) {
  std::promise<void> done;
  reactor.post([&] {
    f();
    done.set_value();
  });
  done.get_future().get();
}

struct Task final : EndOfTurn {
  std::function<void()> run;
  void on_end_of_turn() override { run(); }
};

TEST_CASE("A message runs on the thread of the reactor that it was sent to") {
  ReactorPool pool(2);
  pool.start();
  CHECK(Reactor::current() == nullptr);
  std::promise<std::vector<Reactor*>> seen;
  pool[0].post([&] {
    Reactor* first = Reactor::current();
    pool[1].send([&, first] { seen.set_value({first, Reactor::current()}); });
  });
  CHECK(seen.get_future().get() == std::vector{&pool[0], &pool[1]});
}

TEST_CASE("Messages of one sender arrive in order of sending") {
  ReactorPool pool(2);
  pool.start();
  constexpr int kCount = 2'000;  // several deliveries of a turn
  std::vector<int> arrived;
  std::promise<void> done;
  pool[0].post([&] {
    for (int i = 0; i < kCount; ++i) {
      pool[1].send([&, i] {
        arrived.push_back(i);
        if (i == kCount - 1) done.set_value();
      });
    }
  });
  done.get_future().get();
  std::vector<int> expected(kCount);
  for (int i = 0; i < kCount; ++i) expected[static_cast<std::size_t>(i)] = i;
  CHECK(arrived == expected);
}

TEST_CASE("Nothing leaves before the end of the turn") {
  ReactorPool pool(1);  // its loop runs here: everything happens in a known order
  std::vector<std::string> events;
  pool[0].post([&] {
    pool[0].send([&] {
      events.push_back("message");
      pool[0].stop();
    });
    events.push_back("turn goes on");
  });
  pool[0].run();
  CHECK(events == std::vector<std::string>{"turn goes on", "message"});
}

TEST_CASE("What I/O handlers that are ready together send crosses together, after what waits for the end of the turn") {
  ReactorPool pool(1);
  std::vector<std::string> events;
  Task task;
  task.run = [&] { events.push_back("end of turn"); };
  for (const char* name : {"a", "b"}) {
    boost::asio::post(pool[0].io(), [&, name] {
      events.push_back(std::string("handler ") + name);
      pool[0].at_end_of_turn(task);
      pool[0].send([&, name] {
        events.push_back(std::string("message ") + name);
        if (*name == 'b') pool[0].stop();
      });
    });
  }
  pool[0].run();
  CHECK(events == std::vector<std::string>{"handler a", "handler b", "end of turn", "message a", "message b"});
}

TEST_CASE("A task that is destroyed while it waits for the end of the turn does not run") {
  ReactorPool pool(1);
  std::vector<std::string> events;
  Task task;
  task.run = [&] {
    events.push_back("task");
    pool[0].stop();
  };
  pool[0].post([&] {
    Task destroyed;
    destroyed.run = [&] { events.push_back("destroyed"); };
    pool[0].at_end_of_turn(destroyed);
    pool[0].at_end_of_turn(task);
  });
  pool[0].run();
  CHECK(events == std::vector<std::string>{"task"});
}

TEST_CASE("A task at the end of a turn may ask for another one and send") {
  ReactorPool pool(1);
  std::vector<std::string> events;
  Task second;
  second.run = [&] {
    events.push_back("second");
    pool[0].send([&] {
      events.push_back("message");
      pool[0].stop();
    });
  };
  Task first;
  first.run = [&] {
    events.push_back("first");
    pool[0].at_end_of_turn(second);
  };
  pool[0].post([&] {
    pool[0].at_end_of_turn(first);
    pool[0].at_end_of_turn(first);
  });
  pool[0].run();
  CHECK(events == std::vector<std::string>{"first", "second", "message"});
}

TEST_CASE("A long backlog is delivered over several turns, and I/O gets its chance between them") {
  ReactorPool pool(1);
  int delivered = 0;
  int seen_by_handler = -1;
  constexpr int kCount = 1'000;
  for (int i = 0; i < kCount; ++i) {
    pool[0].post([&] {
      if (delivered == 0) boost::asio::post(pool[0].io(), [&] { seen_by_handler = delivered; });
      if (++delivered == kCount) pool[0].stop();
    });
  }
  CHECK(pool[0].backlog() == kCount);
  pool[0].run();
  CHECK(delivered == kCount);
  CHECK(seen_by_handler > 0);
  CHECK(seen_by_handler < kCount);
  CHECK(pool[0].backlog() == 0);
}

TEST_CASE("All messages of a batch see the same time") {
  ReactorPool pool(1);
  std::vector<Now> times;
  for (int i = 0; i < 2; ++i) {
    pool[0].post([&] {
      times.push_back(pool[0].now());
      const Now start = read_clocks();
      while (read_clocks().mono == start.mono) {
      }
      if (times.size() == 2) pool[0].stop();
    });
  }
  pool[0].run();
  CHECK(times[0].mono == times[1].mono);
  CHECK(read_clocks().mono > times[0].mono);
}

TEST_CASE("Messages from many threads all arrive, each sender's in order") {
  ReactorPool pool(2);
  pool.start();
  constexpr int kThreads = 4;
  constexpr int kEach = 5'000;
  std::vector<int> next(kThreads, 0);
  bool in_order = true;
  int arrived = 0;
  std::promise<void> done;
  {
    std::vector<std::jthread> senders;
    for (int t = 0; t < kThreads; ++t) {
      senders.emplace_back([&, t] {
        for (int i = 0; i < kEach; ++i) {
          pool[1].post([&, t, i] {
            in_order = in_order && next[static_cast<std::size_t>(t)]++ == i;
            if (++arrived == kThreads * kEach) done.set_value();
          });
        }
      });
    }
  }
  done.get_future().get();
  on(pool[1], [&] { CHECK(in_order); });
}

TEST_CASE("What was never delivered is destroyed with the reactor") {
  auto alive = std::make_shared<int>(0);
  {
    ReactorPool pool(2);
    pool[0].post([alive] {});
    pool[0].post([alive] {});
    CHECK(alive.use_count() == 3);
  }
  CHECK(alive.use_count() == 1);
}

TEST_CASE("What is left after the end can be destroyed before the reactors") {
  auto alive = std::make_shared<int>(0);
  ReactorPool pool(1);
  pool.start();
  pool.stop();
  pool[0].post([alive] {});
  CHECK(alive.use_count() == 2);
  pool.drop_undelivered();
  CHECK(alive.use_count() == 1);
}

TEST_CASE("A timer fires once, at or after its deadline, and only for its last setting") {
  ReactorPool pool(1);
  std::vector<std::string> fired;
  const Now start = pool[0].now();
  MonoTime at;
  std::unique_ptr<Timer> replaced;
  std::unique_ptr<Timer> cancelled;
  std::unique_ptr<Timer> destroyed;
  replaced = std::make_unique<Timer>(pool[0], [&] {
    fired.push_back("replaced");
    at = pool[0].now().mono;
    pool[0].stop();
  });
  cancelled = std::make_unique<Timer>(pool[0], [&] { fired.push_back("cancelled"); });
  destroyed = std::make_unique<Timer>(pool[0], [&] { fired.push_back("destroyed"); });
  // All are due already; whether they fire is decided before the loop runs.
  for (Timer* timer : {replaced.get(), cancelled.get(), destroyed.get()}) timer->set(start.mono);
  replaced->set(start.mono + Duration{3});
  cancelled->cancel();
  destroyed.reset();
  pool[0].run();
  CHECK(fired == std::vector<std::string>{"replaced"});
  CHECK(at >= start.mono + Duration{3});
}

TEST_CASE("A timer may be destroyed and set again by what it calls") {
  ReactorPool pool(1);
  int fired = 0;
  std::unique_ptr<Timer> timer;
  timer = std::make_unique<Timer>(pool[0], [&] {
    if (++fired < 3) {
      timer->set(pool[0].now().mono);
    } else {
      timer.reset();
      pool[0].stop();
    }
  });
  timer->set(pool[0].now().mono);
  pool[0].run();
  CHECK(fired == 3);
}

}  // namespace
}  // namespace cohort::reactor
