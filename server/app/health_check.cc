#include "server/app/health_check.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "protocol/wire/big_endian.h"
#include "server/config/listeners.h"
#include "server/net/address.h"

namespace cohort::app {
namespace {

constexpr int kStepSeconds = 3;  // for connecting and for each send and receive
constexpr std::int32_t kLargestAnswer = 1 << 20;
constexpr std::int16_t kApiVersions = 18;
constexpr std::int16_t kMetadata = 3;

// Where a listener is reached from this machine.
std::string local_host(const std::string& host) {
  if (host == "::") return "::1";
  return config::is_every_address(host) ? "127.0.0.1" : host;
}

template <typename Int>
void append(std::string& out, Int value) {
  std::array<std::byte, sizeof(Int)> bytes{};
  protocol::store_big_endian(bytes.data(), value);
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// Length, header v1, body: of versions that all have it so.
std::string request(std::int16_t key, std::int16_t version, std::int32_t correlation, std::string_view body) {
  constexpr std::string_view kClient = "cohortd-healthcheck";
  std::string frame;
  append(frame, key);
  append(frame, version);
  append(frame, correlation);
  append(frame, static_cast<std::int16_t>(kClient.size()));
  frame.append(kClient).append(body);
  std::string out;
  append(out, static_cast<std::int32_t>(frame.size()));
  return out + frame;
}

std::unexpected<Error> system_error(int error, std::string_view what) {
  const int number = error == EAGAIN || error == EINPROGRESS ? ETIMEDOUT : error;
  return fail(ErrorKind::kIo, fmt::format("{}: {}", what, std::generic_category().message(number)), number);
}

// A blocking socket whose calls end after kStepSeconds; Asio's blocking calls would wait on.
class Client {
 public:
  explicit Client(const boost::asio::ip::tcp::endpoint& endpoint)
      : endpoint_(endpoint), socket_(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { ::close(socket_); }

  Result<void> connect() {
    const timeval limit{.tv_sec = kStepSeconds, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (::connect(socket_, endpoint_.data(), static_cast<socklen_t>(endpoint_.size())) == 0) return {};
    const int error = errno;  // naming the address asks the system, too
    return system_error(error,
                        fmt::format("cannot connect to {} port {}", endpoint_.address().to_string(), endpoint_.port()));
  }

  // Sends it and reads the whole answer, without length and correlation id.
  Result<std::vector<std::byte>> ask(std::string_view what, const std::string& frame, std::int32_t correlation) {
    const std::string unanswered = fmt::format("{} is not answered", what);
    if (::send(socket_, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) {
      return system_error(errno, unanswered);
    }
    std::array<std::byte, 8> head{};
    if (auto got = receive(head, unanswered); !got) return std::unexpected(got.error());
    const auto length = protocol::load_big_endian<std::int32_t>(head.data());
    if (length < 4 || length > kLargestAnswer ||
        protocol::load_big_endian<std::int32_t>(head.data() + 4) != correlation) {
      return fail(ErrorKind::kMalformed, fmt::format("the answer to {} is not Kafka's", what));
    }
    std::vector<std::byte> body(static_cast<std::size_t>(length) - 4);
    if (auto got = receive(body, unanswered); !got) return std::unexpected(got.error());
    return body;
  }

 private:
  Result<void> receive(std::span<std::byte> into, const std::string& unanswered) {
    while (!into.empty()) {
      const ssize_t count = ::recv(socket_, into.data(), into.size(), 0);
      if (count == 0) return fail(ErrorKind::kIo, unanswered + ": the connection was closed");
      if (count < 0) return system_error(errno, unanswered);
      into = into.subspan(static_cast<std::size_t>(count));
    }
    return {};
  }

  const boost::asio::ip::tcp::endpoint endpoint_;
  const int socket_;
};

}  // namespace

Result<void> check_health(const config::NetConfig& net) {
  const config::Listener& listener = net.listeners.front();
  if (listener.port == 0) return fail(ErrorKind::kInvalid, "the listener has port 0: nobody knows where it listens");
  boost::asio::io_context io;
  auto address = net::resolve(io, local_host(listener.host));
  if (!address) return std::unexpected(address.error());
  Client client({*address, listener.port});
  if (auto connected = client.connect(); !connected) return connected;
  auto versions = client.ask("ApiVersions", request(kApiVersions, 0, 1, {}), 1);
  if (!versions) return std::unexpected(versions.error());
  if (versions->size() < 2 || protocol::load_big_endian<std::int16_t>(versions->data()) != 0) {
    return fail(ErrorKind::kMalformed, "ApiVersions is answered with an error");
  }
  // Metadata v1 of no topic: an empty list. The answer begins with the list of brokers.
  auto metadata = client.ask("Metadata", request(kMetadata, 1, 2, std::string_view("\0\0\0\0", 4)), 2);
  if (!metadata) return std::unexpected(metadata.error());
  if (metadata->size() < 4 || protocol::load_big_endian<std::int32_t>(metadata->data()) != 1) {
    return fail(ErrorKind::kMalformed, "Metadata names no broker");
  }
  return {};
}

}  // namespace cohort::app
