#include "server/config/listeners.h"

#include <catch2/catch.hpp>

#include "server/config/config.h"

namespace cohort::config {
namespace {

NetConfig net(const std::string& text) {
  auto result = load(FileText{"server.properties", text}, {});
  if (!result) FAIL(result.error().message);
  return result->config.net;
}

std::string why_refused(const std::string& text) {
  auto result = load(FileText{"server.properties", text}, {});
  return result ? "accepted" : result.error().message;
}

TEST_CASE("listeners: their form") {
  CHECK(parse_listener("PLAINTEXT://:9092").value() == Listener{"PLAINTEXT", "", 9092});
  CHECK(parse_listener("PLAINTEXT://0.0.0.0:0").value() == Listener{"PLAINTEXT", "0.0.0.0", 0});
  CHECK(parse_listener("inside://localhost:19092").value() == Listener{"INSIDE", "localhost", 19092});
  CHECK(parse_listener("PLAINTEXT://[::1]:9092").value() == Listener{"PLAINTEXT", "::1", 9092});
  for (const char* bad : {"", "9092", "localhost:9092", "://h:1", "PLAINTEXT://localhost",
                          "PLAINTEXT://localhost:", "PLAINTEXT://localhost:65536", "PLAINTEXT://localhost:-1",
                          "PLAINTEXT://[::1:9092", "PLAINTEXT://::1:9092"}) {
    INFO(bad);
    CHECK_FALSE(parse_listener(bad).has_value());
  }
}

TEST_CASE("listeners: clients are told the advertised listener, or the listener itself") {
  const NetConfig n =
      net("listeners=INSIDE://h:9092,OUT://0.0.0.0:9093\nadvertised.listeners=OUT://example.org:29093\n"
          "listener.security.protocol.map=INSIDE:PLAINTEXT,out:plaintext\n");
  REQUIRE(n.advertised.size() == 2);
  CHECK(n.advertised[0] == n.listeners[0]);
  CHECK(n.advertised[1] == Listener{"OUT", "example.org", 29093});
  // Two advertised listeners may share a port: their hosts differ.
  CHECK(net("listeners=A://:1,B://:2\nadvertised.listeners=A://a:9,B://b:9\n"
            "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n")
            .advertised[1] == Listener{"B", "b", 9});
  // An empty host is the machine's own name.
  CHECK(net("advertised.listeners=PLAINTEXT://:29092").advertised[0] == Listener{"PLAINTEXT", "", 29092});
  CHECK(why_refused("advertised.listeners=OTHER://h:1\nlisteners=PLAINTEXT://:1").find("OTHER is none") !=
        std::string::npos);
}

TEST_CASE("listeners: every address of the machine is nothing that clients can be told") {
  CHECK(why_refused("advertised.listeners=PLAINTEXT://0.0.0.0:9092").find("clients can connect to") !=
        std::string::npos);
  CHECK(why_refused("advertised.listeners=PLAINTEXT://[::]:9092").find("clients can connect to") != std::string::npos);
  CHECK(why_refused("listeners=PLAINTEXT://0.0.0.0:9092") ==
        "server.properties, line 1: listeners=PLAINTEXT://0.0.0.0:9092 is not possible, it must be of addresses that "
        "clients can connect to, and 0.0.0.0 is every address of this machine: say in advertised.listeners where "
        "clients find PLAINTEXT, e.g. PLAINTEXT://localhost:9092");
  CHECK(why_refused("listeners=PLAINTEXT://[::]:9092").find(":: is every address") != std::string::npos);
  CHECK(net("listeners=PLAINTEXT://:9092").advertised[0].host.empty());
  // Some are advertised, one is not: it is listened on, as in Kafka.
  CHECK(net("listeners=PLAINTEXT://0.0.0.0:9092,B://0.0.0.0:9093\nadvertised.listeners=B://b:1\n"
            "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,B:PLAINTEXT\n")
            .advertised[0] == Listener{"PLAINTEXT", "", 9092});
}

TEST_CASE("listeners: one name, one port") {
  const std::string map = "listener.security.protocol.map=A:PLAINTEXT,B:PLAINTEXT\n";
  CHECK(why_refused("listeners=PLAINTEXT://a:1,plaintext://b:2").find("only once") != std::string::npos);
  for (const char* two : {"A://h:1,B://h:1", "A://h:1,B://g:1", "A://:1,B://h:1", "A://127.0.0.1:1,B://127.0.0.2:1",
                          "A://[::1]:1,B://[::2]:1", "A://[::1]:1,B://h:1"}) {
    INFO(two);
    CHECK(why_refused(map + "listeners=" + two).find("a different port") != std::string::npos);
  }
  CHECK(net(map + "listeners=A://127.0.0.1:1,B://[::1]:1").listeners.size() == 2);
  CHECK(net(map + "listeners=A://h:0,B://h:0").listeners.size() == 2);
}

TEST_CASE("listeners: only PLAINTEXT is served, whatever the listener is called") {
  CHECK(net("listeners=SSL://h:1\nlistener.security.protocol.map=SSL:PLAINTEXT").listeners[0].name == "SSL");
  CHECK(why_refused("listeners=SSL://h:1").find("gives SSL the protocol SSL, and TLS and SASL are not served") !=
        std::string::npos);
  CHECK(why_refused("listeners=A://h:1\nlistener.security.protocol.map=A:SASL_SSL").find("the protocol SASL_SSL") !=
        std::string::npos);
  CHECK(why_refused("listeners=A://h:1").find("add A:PLAINTEXT to listener.security.protocol.map") !=
        std::string::npos);
  CHECK(why_refused("listener.security.protocol.map=A:TLS").find("one of PLAINTEXT, SSL") != std::string::npos);
  CHECK(why_refused("listener.security.protocol.map=A").find("NAME:PROTOCOL") != std::string::npos);
}

TEST_CASE("listeners: those of Kafka's controller are left out") {
  const NetConfig n =
      net("controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://h:9092, CONTROLLER://h:9093\n"
          "advertised.listeners=PLAINTEXT://h:9092,CONTROLLER://h:9093\n");
  CHECK(n.listeners == std::vector<Listener>{{"PLAINTEXT", "h", 9092}});
  CHECK(n.advertised == std::vector<Listener>{{"PLAINTEXT", "h", 9092}});
  CHECK(why_refused("controller.listener.names=CONTROLLER\nlisteners=CONTROLLER://h:9093\nprocess.roles=controller\n")
            .find("a node that is a controller alone has nothing to do here") != std::string::npos);
}

TEST_CASE("listeners: advertised listeners alone are listened on, unless the default does") {
  CHECK(net("advertised.listeners=PLAINTEXT://localhost:29092").listeners ==
        std::vector<Listener>{{"PLAINTEXT", "", 9092}});
  const NetConfig n =
      net("advertised.listeners=PLAINTEXT://broker:29092,PLAINTEXT_HOST://localhost:9092\n"
          "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT\n");
  CHECK(n.listeners == std::vector<Listener>{{"PLAINTEXT", "", 29092}, {"PLAINTEXT_HOST", "", 9092}});
  CHECK(n.advertised == std::vector<Listener>{{"PLAINTEXT", "broker", 29092}, {"PLAINTEXT_HOST", "localhost", 9092}});
}

}  // namespace
}  // namespace cohort::config
