// The listening sockets and all connections. Owned by `app`; outlives nothing that it serves: stop() before the
// reactors and the services end.
//
// One acceptor hands each new socket to the reactor with the fewest connections. Why not a listening socket per reactor
// (SO_REUSEPORT): the kernel spreads by a hash, unevenly for the few long-lived connections of Kafka clients, and two
// processes could take the same port without either noticing. Accepting is rare, so one thread is enough for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "protocol/base/result.h"
#include "server/api/services.h"
#include "server/config/server_config.h"
#include "server/reactor/reactor_pool.h"

namespace cohort::net {

class Server {
 public:
  // All must outlive the server. services.advertised may be filled in after listen().
  Server(reactor::ReactorPool& reactors, const config::NetConfig& config, const api::Services& services);
  ~Server();

  // Binds every listener. Clients that connect from here on wait until start(). The error names the listener.
  Result<void> listen();
  // By listener; the ports that the system chose where port 0 was asked for.
  const std::vector<std::uint16_t>& ports() const;

  // Accepts from here on; the reactors run or will run.
  void start();
  // The orderly end, in this order; the reactors run, not from a reactor's thread. First: closes the listeners and
  // takes no further request.
  void stop_reading();
  // Waits until every request is answered and every answer sent, as long as in_time() holds.
  void flush(const std::function<bool()>& in_time);
  // Closes the listeners and all connections and waits until it is done. The reactors run; not from a reactor's thread.
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace cohort::net
