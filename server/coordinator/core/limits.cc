#include "server/coordinator/core/limits.h"

#include <fmt/format.h>

#include "protocol/base/log.h"

namespace cohort::coordinator {
namespace {

constexpr Duration kBetweenComplaints = std::chrono::minutes{1};

void complain(const Step& step, std::string_view group, std::string_view why) {
  SoftState& soft = step.state.soft;
  if (step.context.now.mono < soft.next_complaint) return;
  soft.next_complaint = step.context.now.mono + kBetweenComplaints;
  log::warn("GroupCoordinator", "[{}] is refused: {}", group, why);
}

}  // namespace

std::optional<std::string> why_no_new_group(const Step& step, std::string_view id) {
  const GroupCensus& census = step.state.census;
  std::string why;
  if (census.groups() >= static_cast<std::size_t>(step.config.max_groups)) {
    why = fmt::format("there are {} groups already, as many as cohort.max.groups allows", census.groups());
  } else if (census.alike(id) >= static_cast<std::size_t>(step.config.max_similar_groups)) {
    why = fmt::format(
        "there are {} groups like '{}' already, as many as cohort.max.similar.groups allows: the client seems to make "
        "up a new group id each time",
        census.alike(id), random_pattern(id).value_or(std::string(id)));
  } else {
    return std::nullopt;
  }
  complain(step, id, why);
  return why;
}

OffsetRoom::OffsetRoom(const Step& step, std::string_view group, const GroupOffsets* offsets, std::size_t more)
    : step_(step),
      group_(group),
      offsets_(offsets),
      left_(step.config.group_max_offsets - (offsets == nullptr ? 0 : offsets->count)),
      is_tight_(left_ < static_cast<std::int64_t>(more)) {}

bool OffsetRoom::take(std::string_view topic, std::int32_t partition) {
  if (!is_tight_) return true;
  if (offsets_ != nullptr) {
    const auto found = offsets_->topics.find(topic);
    if (found != offsets_->topics.end() && found->second.find(partition) != nullptr) return true;
  }
  if (left_ > 0) {
    --left_;
    return true;
  }
  complain(step_, group_, "it has as many offsets as cohort.group.max.offsets allows");
  return false;
}

}  // namespace cohort::coordinator
