#include "server/net/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <chrono>
#include <latch>
#include <thread>
#include <unordered_set>

#include "protocol/base/log.h"
#include "server/net/address.h"
#include "server/net/connection.h"
#include "server/net/connection_limits.h"
#include "server/reactor/timer.h"

namespace cohort::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::string_view kAcceptor = "Acceptor";
constexpr Duration kSweepInterval{1'000};
constexpr Duration kAcceptPause{100};  // after an error such as "too many open files"

// The connections of one reactor; used on its thread.
class ReactorConnections {
 public:
  explicit ReactorConnections(reactor::Reactor& reactor) : reactor_(reactor), sweep_(reactor, [this] { sweep(); }) {}

  void add(std::shared_ptr<Connection> connection) {
    if (stopping_) {
      connection->close();
      return;
    }
    if (connections_.empty()) sweep_.set(reactor_.now().mono + kSweepInterval);
    Connection& added = *connection;
    connections_.insert(std::move(connection));
    added.start();
  }
  void remove(Connection& connection) { connections_.erase(connection.shared_from_this()); }
  void stop_reading() {
    stopping_ = true;
    for (const auto& connection : connections_) connection->stop_reading();
  }
  bool is_drained() const {
    return std::ranges::all_of(connections_, [](const auto& connection) { return connection->is_drained(); });
  }
  void close_all() {
    stopping_ = true;
    sweep_.cancel();
    const auto all = std::move(connections_);
    connections_.clear();
    for (const auto& connection : all) connection->close();
  }

 private:
  void sweep() {
    const MonoTime now = reactor_.now().mono;
    const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
    for (const auto& connection : all) connection->check_deadlines(now);
    if (!connections_.empty()) sweep_.set(now + kSweepInterval);
  }

  reactor::Reactor& reactor_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  reactor::Timer sweep_;
  bool stopping_ = false;
};

// Opens, binds and listens; the error is the system's.
boost::system::error_code open_acceptor(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool dual_stack,
                                        const config::NetConfig& config) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error) return error;
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (dual_stack) acceptor.set_option(asio::ip::v6_only(false), error);
  // Inherited by the accepted sockets; the receive window must be set before they exist.
  boost::system::error_code ignored;
  if (config.receive_buffer_bytes > 0) {
    acceptor.set_option(asio::socket_base::receive_buffer_size(config.receive_buffer_bytes), ignored);
  }
  if (config.send_buffer_bytes > 0) {
    acceptor.set_option(asio::socket_base::send_buffer_size(config.send_buffer_bytes), ignored);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(config.listen_backlog, error);
  return error;
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(reactor::ReactorPool& pool, const config::NetConfig& net, const api::Services& services)
      : reactors(pool), config(net), limits(pool.size(), net.max_connections, net.max_connections_per_ip) {
    auto made = std::make_shared<ConnectionSettings>();
    made->max_request_bytes = static_cast<std::size_t>(net.request_max_bytes);
    made->max_idle = net.max_idle;
    made->stall_timeout = net.stall_timeout;
    made->budget = std::make_shared<MemoryBudget>(net.queued_max_bytes);
    made->reply_memory = services.reply_memory;
    made->services = &services;
    settings = std::move(made);
    for (std::size_t i = 0; i < pool.size(); ++i) connections.push_back(std::make_unique<ReactorConnections>(pool[i]));
  }

  Result<void> listen_on(const config::Listener& listener);
  void accept(std::size_t listener);
  void on_accepted(std::size_t listener, std::size_t target, tcp::socket socket);
  void pause_accepting(std::size_t listener, const boost::system::error_code& error);
  // Waits until the reactor has done it.
  void run_on(std::size_t reactor, const std::function<void()>& action);
  void close_listeners();

  reactor::ReactorPool& reactors;
  const config::NetConfig& config;
  ConnectionLimits limits;
  std::shared_ptr<const ConnectionSettings> settings;
  std::vector<std::unique_ptr<ReactorConnections>> connections;  // by reactor
  std::vector<tcp::acceptor> acceptors;                          // by listener; on reactor 0
  std::vector<std::unique_ptr<reactor::Timer>> pauses;           // by listener
  std::vector<std::uint16_t> ports;
  bool stopping = false;  // on reactor 0
};

Result<void> Server::Impl::listen_on(const config::Listener& listener) {
  tcp::acceptor acceptor(reactors[0].io());
  boost::system::error_code error;
  if (listener.host.empty()) {
    // Every address: both families through one socket; IPv4 alone where the machine has no IPv6.
    error = open_acceptor(acceptor, tcp::endpoint(asio::ip::address_v6::any(), listener.port), true, config);
    if (error == asio::error::address_family_not_supported) {
      error = open_acceptor(acceptor, tcp::endpoint(asio::ip::address_v4::any(), listener.port), false, config);
    }
  } else {
    auto address = resolve(reactors[0].io(), listener.host);
    if (!address) return std::unexpected(address.error());
    error = open_acceptor(acceptor, tcp::endpoint(*address, listener.port), false, config);
  }
  if (error) {
    return fail(
        ErrorKind::kIo,
        fmt::format("cannot listen on {}://{}:{}: {}", listener.name, listener.host, listener.port, error.message()),
        error.value());
  }
  ports.push_back(acceptor.local_endpoint().port());
  acceptors.push_back(std::move(acceptor));
  pauses.push_back(std::make_unique<reactor::Timer>(reactors[0], [this, index = pauses.size()] { accept(index); }));
  return {};
}

void Server::Impl::accept(std::size_t listener) {
  if (stopping) return;
  const std::size_t target = limits.least_loaded();
  acceptors[listener].async_accept(
      reactors[target].io(),
      [self = shared_from_this(), listener, target](const boost::system::error_code& error, tcp::socket socket) {
        if (self->stopping) return;
        if (error) {
          self->pause_accepting(listener, error);
          return;
        }
        self->on_accepted(listener, target, std::move(socket));
        self->accept(listener);
      });
}

void Server::Impl::pause_accepting(std::size_t listener, const boost::system::error_code& error) {
  if (error == asio::error::connection_aborted) {
    accept(listener);
    return;
  }
  log::warn(kAcceptor, "Cannot accept a connection: {}", error.message());
  pauses[listener]->set(reactors[0].now().mono + kAcceptPause);
}

void Server::Impl::on_accepted(std::size_t listener, std::size_t target, tcp::socket socket) {
  boost::system::error_code error;
  const tcp::endpoint endpoint = socket.remote_endpoint(error);
  if (error) return;  // gone already
  const std::string host = java_host(endpoint.address());
  if (const char* limit = limits.add(host, target)) {
    log::warn(kAcceptor, "Closing a new connection of {}: {} is reached", host, limit);
    return;
  }
  auto peer = std::make_shared<const api::Peer>(api::Peer{
      .client_host = "/" + host, .address = fmt::format("{}:{}", host, endpoint.port()), .listener = listener});
  // A socket that was accepted for another reactor is only touched by that reactor from here on.
  reactors[target].post(
      [self = shared_from_this(), target, host, peer = std::move(peer), socket = std::move(socket)]() mutable {
        auto removed = [self = std::weak_ptr(self), target, host](Connection& connection) {
          const auto impl = self.lock();
          if (!impl) return;
          impl->limits.remove(host, target);
          impl->connections[target]->remove(connection);
        };
        self->connections[target]->add(std::make_shared<Connection>(
            self->reactors[target], std::move(socket), std::move(peer), self->settings, std::move(removed)));
      });
}

Server::Server(reactor::ReactorPool& reactors, const config::NetConfig& config, const api::Services& services)
    : impl_(std::make_shared<Impl>(reactors, config, services)) {}

Server::~Server() = default;

Result<void> Server::listen() {
  for (const config::Listener& listener : impl_->config.listeners) {
    if (auto listening = impl_->listen_on(listener); !listening) return listening;
  }
  return {};
}

const std::vector<std::uint16_t>& Server::ports() const {
  return impl_->ports;
}

void Server::start() {
  for (std::size_t i = 0; i < impl_->acceptors.size(); ++i) {
    impl_->reactors[0].post([impl = impl_, i] { impl->accept(i); });
  }
}

void Server::Impl::run_on(std::size_t reactor, const std::function<void()>& action) {
  std::latch done(1);
  reactors[reactor].post([&] {
    action();
    done.count_down();
  });
  done.wait();
}

void Server::Impl::close_listeners() {
  run_on(0, [&] {
    stopping = true;
    boost::system::error_code ignored;
    for (tcp::acceptor& acceptor : acceptors) acceptor.close(ignored);
    for (const auto& pause : pauses) pause->cancel();
  });
}

void Server::stop_reading() {
  impl_->close_listeners();
  for (std::size_t i = 0; i < impl_->connections.size(); ++i) {
    impl_->run_on(i, [&] { impl_->connections[i]->stop_reading(); });
  }
}

void Server::flush(const std::function<bool()>& in_time) {
  constexpr std::chrono::milliseconds kPause{2};
  for (std::size_t i = 0; i < impl_->connections.size();) {
    bool drained = false;
    impl_->run_on(i, [&] { drained = impl_->connections[i]->is_drained(); });
    if (drained) {
      ++i;
    } else if (in_time()) {
      std::this_thread::sleep_for(kPause);
    } else {
      return;
    }
  }
}

void Server::stop() {
  impl_->close_listeners();
  for (std::size_t i = 0; i < impl_->connections.size(); ++i) {
    impl_->run_on(i, [&] { impl_->connections[i]->close_all(); });
  }
}

}  // namespace cohort::net
