#include "server/coordinator/core/id_map.h"

#include <catch2/catch.hpp>
#include <random>

#include "protocol/types/ids.h"

namespace cohort::coordinator {
namespace {

using Map = IdMap<protocol::GroupId, int>;
using Model = std::map<std::string, int>;

void check_equal(const Map& map, const Model& model) {
  REQUIRE(map.size() == model.size());
  auto expected = model.begin();
  for (const auto& [id, value] : map) {
    CHECK(id.value() == expected->first);
    CHECK(value == expected->second);
    CHECK(map.find(id.value())->second == value);
    ++expected;
  }
}

TEST_CASE("An IdMap is a map in order of ids that also finds by hash") {
  std::mt19937_64 random(7);
  Map map;
  Model model;
  for (int step = 0; step < 5'000; ++step) {
    // Short ids lie inside of their string, long ones do not.
    const std::string id = std::to_string(random() % 60) + (random() % 2 == 0 ? "" : std::string(40, 'x'));
    const auto found = map.find(id);
    REQUIRE((found != map.end()) == model.contains(id));
    REQUIRE(map.contains(id) == model.contains(id));
    if (found != map.end() && random() % 2 == 0) {
      map.erase(found);
      model.erase(id);
    } else {
      map[id] = model[id] = step;
    }
    if (step % 100 == 0) check_equal(map, model);
    const auto lower = map.lower_bound(id);
    const auto expected = model.lower_bound(id);
    REQUIRE((lower == map.end()) == (expected == model.end()));
    if (lower != map.end()) CHECK(lower->first.value() == expected->first);
  }
}

TEST_CASE("A moved or copied IdMap finds its own elements") {
  Map map;
  for (int i = 0; i < 20; ++i) map[std::to_string(i)] = i;
  Map copy = map;
  copy["3"] = 33;
  CHECK(map.find("3")->second == 3);
  copy.erase(std::as_const(copy).find("4"));
  CHECK(map.contains("4"));
  const Map moved = std::move(map);
  for (int i = 0; i < 20; ++i) CHECK(moved.find(std::to_string(i))->second == i);
  map = std::move(copy);
  CHECK(map.find("3")->second == 33);
  CHECK_FALSE(map.contains("4"));
  CHECK(map.size() == 19);
}

}  // namespace
}  // namespace cohort::coordinator
