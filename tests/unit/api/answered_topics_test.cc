#include "server/api/answered_topics.h"

#include <catch2/catch.hpp>
#include <string>

namespace cohort::api {
namespace {

struct Topic {
  std::string name;
  std::vector<int> partitions;
  friend bool operator==(const Topic&, const Topic&) = default;
};

TEST_CASE("the answer for a topic that is in both parts is one") {
  std::vector<Topic> answered{{"gone", {0}}, {"grown", {7}}};
  join_answers(answered, {{"whole", {0, 1}}, {"grown", {2, 3}}, {"other", {4}}}, {std::nullopt, 1, std::nullopt});
  CHECK(answered == std::vector<Topic>{{"gone", {0}}, {"grown", {7, 2, 3}}, {"whole", {0, 1}}, {"other", {4}}});
}

TEST_CASE("an answer of one part alone stays as it is") {
  std::vector<Topic> none;
  join_answers(none, {{"a", {1}}}, {std::nullopt});
  CHECK(none == std::vector<Topic>{{"a", {1}}});
  std::vector<Topic> all{{"a", {1}}};
  join_answers(all, {}, {});
  CHECK(all == std::vector<Topic>{{"a", {1}}});
}

}  // namespace
}  // namespace cohort::api
