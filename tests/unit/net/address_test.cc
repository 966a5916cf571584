#include "server/net/address.h"

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>

namespace cohort::net {
namespace {

using boost::asio::ip::make_address;

TEST_CASE("addresses look as Java prints them") {
  CHECK(java_host(make_address("127.0.0.1")) == "127.0.0.1");
  CHECK(java_host(make_address("::1")) == "0:0:0:0:0:0:0:1");
  CHECK(java_host(make_address("2001:db8::ff00:42")) == "2001:db8:0:0:0:0:ff00:42");
  CHECK(java_host(make_address("::ffff:10.1.2.3")) == "10.1.2.3");
}

TEST_CASE("addresses and names are resolved, IPv4 first") {
  boost::asio::io_context io;
  CHECK(resolve(io, "0.0.0.0").value() == make_address("0.0.0.0"));
  CHECK(resolve(io, "::1").value() == make_address("::1"));
  CHECK(resolve(io, "localhost").value().is_loopback());
  const auto unknown = resolve(io, "no-such-host.invalid");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().message.find("no-such-host.invalid") != std::string::npos);
}

}  // namespace
}  // namespace cohort::net
