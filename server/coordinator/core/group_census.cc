#include "server/coordinator/core/group_census.h"

#include <algorithm>

namespace cohort::coordinator {
namespace {

constexpr std::size_t kShortestRandomRun = 16;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_of_run(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '-';
}

bool is_random(std::string_view run) {
  return run.size() >= kShortestRandomRun && std::ranges::any_of(run, is_digit);
}

}  // namespace

std::optional<std::string> random_pattern(std::string_view id) {
  std::string pattern;
  bool found = false;
  while (!id.empty()) {
    const auto length = static_cast<std::size_t>(std::ranges::find_if_not(id, is_of_run) - id.begin());
    const std::string_view run = id.substr(0, length);
    if (is_random(run)) {
      pattern += '*';
      found = true;
    } else {
      pattern += run;
    }
    id.remove_prefix(length);
    if (id.empty()) break;
    pattern += id.front();
    id.remove_prefix(1);
  }
  return found ? std::optional(std::move(pattern)) : std::nullopt;
}

void GroupCensus::came(std::string_view id) {
  ++groups_;
  if (auto pattern = random_pattern(id)) ++by_pattern_[*std::move(pattern)];
}

void GroupCensus::went(std::string_view id) {
  --groups_;
  const auto pattern = random_pattern(id);
  if (!pattern) return;
  const auto found = by_pattern_.find(*pattern);
  if (found != by_pattern_.end() && --found->second == 0) by_pattern_.erase(found);
}

std::size_t GroupCensus::alike(std::string_view id) const {
  const auto pattern = random_pattern(id);
  const auto found = pattern ? by_pattern_.find(*pattern) : by_pattern_.end();
  return found == by_pattern_.end() ? 0 : found->second;
}

}  // namespace cohort::coordinator
