#include "tests/bench/load/connection.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "protocol/wire/big_endian.h"

namespace cohort::load {

void give_up(const std::string& why) {
  std::fprintf(stderr, "load: %s\n", why.c_str());
  std::exit(1);
}

Connection::Connection(const std::string& bootstrap) {
  const std::size_t colon = bootstrap.rfind(':');
  if (colon == std::string::npos) give_up("--bootstrap is HOST:PORT");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(bootstrap.substr(0, colon).c_str(), bootstrap.substr(colon + 1).c_str(), &hints, &found) != 0) {
    give_up("no such host: " + bootstrap);
  }
  socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int connected = ::connect(socket_, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  if (connected != 0) give_up("cannot connect to " + bootstrap);
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  input_.resize(std::size_t{256} * 1024);
}

Connection::~Connection() {
  ::close(socket_);
}

void Connection::flush() {
  std::size_t done = 0;
  while (done < output_.size()) {
    const ssize_t count = ::send(socket_, output_.data() + done, output_.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd writable{socket_, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else {
      give_up("the server closed a connection");
    }
  }
  output_.clear();
}

void Connection::receive(const std::function<void(const Answer&)>& on_answer) {
  const ssize_t count = ::recv(socket_, input_.data() + input_end_, input_.size() - input_end_, MSG_DONTWAIT);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) give_up("the server closed a connection");
  input_end_ += static_cast<std::size_t>(count);

  std::size_t begin = 0;
  const Clock::time_point now = Clock::now();
  while (input_end_ - begin >= sizeof(std::int32_t)) {
    const auto size = static_cast<std::size_t>(protocol::load_big_endian<std::int32_t>(input_.data() + begin));
    if (size + sizeof(std::int32_t) > input_.size()) input_.resize(size + sizeof(std::int32_t));
    if (input_end_ - begin < size + sizeof(std::int32_t)) break;
    const std::span bytes(input_.data() + begin + sizeof(std::int32_t), size);
    const auto expected = next_ - static_cast<std::uint32_t>(sent_.size());
    if (protocol::load_big_endian<std::uint32_t>(bytes.data()) != expected) give_up("answers are out of order");
    const Sent sent = sent_.front();
    sent_.pop_front();
    on_answer({sent.job, now - sent.at, bytes});
    begin += size + sizeof(std::int32_t);
  }
  std::memmove(input_.data(), input_.data() + begin, input_end_ - begin);
  input_end_ -= begin;
}

}  // namespace cohort::load
