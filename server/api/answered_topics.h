// For APIs that answer what does not exist themselves and ask a shard for the rest: joins the two parts of the answer,
// of which one topic may be in both. By place and not by name, since a request may have a million topics.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "protocol/base/check.h"

namespace cohort::api {

// For each topic that the shard is asked for, in order, where the answer has it already, if it does.
using AnsweredPlaces = std::vector<std::optional<std::size_t>>;

// from_shard: one topic for each place, in the same order.
template <typename Topic>
void join_answers(std::vector<Topic>& answered, std::vector<Topic> from_shard, const AnsweredPlaces& places) {
  CHECK(from_shard.size() == places.size(), "an answer for each topic that was asked for");
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!places[i]) {
      answered.push_back(std::move(from_shard[i]));
      continue;
    }
    auto& known = answered[*places[i]].partitions;
    known.insert(known.end(), from_shard[i].partitions.begin(), from_shard[i].partitions.end());
  }
}

}  // namespace cohort::api
