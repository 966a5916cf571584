// Names and addresses of hosts. Free functions; resolve() blocks and is for start-up only.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

#include "protocol/base/result.h"

namespace boost::asio {
class io_context;
}

namespace cohort::net {

// The address of a host name or of an address as text; IPv4 is preferred, as Java's default is.
Result<boost::asio::ip::address> resolve(boost::asio::io_context& io, const std::string& host);

// As Java's InetAddress.getHostAddress prints it, which is what Kafka shows as client host: IPv6 as eight groups
// without "::", IPv4 in IPv6 as IPv4.
std::string java_host(const boost::asio::ip::address& address);

}  // namespace cohort::net
