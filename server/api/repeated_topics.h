// For APIs that create: a topic that a request names twice is not made at all, since it is not said which of the two is
// meant.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace cohort::api {

inline constexpr const char* kRepeatedTopic = "Duplicate topic name.";  // as Kafka says it

// Takes the topics out of the request whose name stands there more than once, and returns each such name once.
template <typename Topic>
std::vector<std::string> take_out_repeated(std::vector<Topic>& topics) {
  std::map<std::string, int> mentions;
  for (const Topic& topic : topics) ++mentions[topic.name.str()];
  std::erase_if(topics, [&](const Topic& topic) { return mentions[topic.name.str()] > 1; });
  std::vector<std::string> repeated;
  for (const auto& [name, count] : mentions) {
    if (count > 1) repeated.push_back(name);
  }
  return repeated;
}

}  // namespace cohort::api
