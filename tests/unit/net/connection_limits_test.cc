#include "server/net/connection_limits.h"

#include <catch2/catch.hpp>

namespace cohort::net {
namespace {

TEST_CASE("limits: in all and per address") {
  ConnectionLimits limits(1, 3, 2);
  CHECK(limits.add("a", 0) == nullptr);
  CHECK(limits.add("a", 0) == nullptr);
  CHECK(std::string(limits.add("a", 0)) == "max.connections.per.ip");
  CHECK(limits.add("b", 0) == nullptr);
  CHECK(std::string(limits.add("c", 0)) == "max.connections");
  limits.remove("a", 0);
  CHECK(limits.add("a", 0) == nullptr);
}

TEST_CASE("limits: the reactor with the fewest connections is next") {
  ConnectionLimits limits(3, 100, 100);
  CHECK(limits.least_loaded() == 0);
  limits.add("a", 0);
  CHECK(limits.least_loaded() == 1);
  limits.add("a", 1);
  limits.add("a", 2);
  limits.add("a", 2);
  limits.remove("a", 1);
  CHECK(limits.least_loaded() == 1);
}

}  // namespace
}  // namespace cohort::net
