#include "server/net/address.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace cohort::net {

namespace asio = boost::asio;

Result<asio::ip::address> resolve(asio::io_context& io, const std::string& host) {
  boost::system::error_code error;
  asio::ip::address literal = asio::ip::make_address(host, error);
  if (!error) return literal;
  asio::ip::tcp::resolver resolver(io);
  const auto results = resolver.resolve(host, "", error);
  if (error || results.empty()) {
    return fail(ErrorKind::kIo, fmt::format("the host {} of a listener cannot be resolved: {}", host, error.message()),
                error.value());
  }
  for (const auto& result : results) {
    if (result.endpoint().address().is_v4()) return result.endpoint().address();
  }
  return results.begin()->endpoint().address();
}

std::string java_host(const asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  const asio::ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
  const auto bytes = v6.to_bytes();
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    text += fmt::format("{}{:x}", i == 0 ? "" : ":", (bytes[i] << 8) | bytes[i + 1]);
  }
  return text;
}

}  // namespace cohort::net
