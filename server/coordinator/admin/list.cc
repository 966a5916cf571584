#include <algorithm>
#include <string>

#include "server/coordinator/admin/admin.h"
#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/core/find_group.h"

namespace cohort::coordinator {
namespace {

// Kafka's filters are compared without case; those of states also without blanks around them.
std::string lower(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}
std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

bool passes(const std::vector<std::string>& lower_filter, std::string_view value) {
  return lower_filter.empty() || std::ranges::find(lower_filter, lower(value)) != lower_filter.end();
}

// What ListGroups says of a group. Views into the state or of constants.
struct Listed {
  std::string_view type;
  std::string_view state;
  std::string_view protocol_type;
};

Listed listed(const FoundGroup& group) {
  if (group.consumer != nullptr) return {"consumer", to_string(group.consumer->state()), "consumer"};
  if (group.classic != nullptr) {
    return {"classic", to_string(group.round->state()), group.round->protocol_type()};
  }
  if (group.foreign == nullptr) return {"classic", "Empty", ""};
  // The log does not tell what a group of a family that is not served does.
  switch (group.foreign->type) {
    case ForeignGroup::Type::kShare:
      return {"share", "Unknown", "share"};
    case ForeignGroup::Type::kStreams:
      return {"streams", "Unknown", "streams"};
  }
  return {};
}

}  // namespace

void handle_list_groups(const Step& step, ReplyToken token, const ListGroups& request) {
  std::vector<std::string> states;
  for (const std::string& state : request.states) states.push_back(lower(trim(state)));
  std::vector<std::string> types;
  for (const std::string& type : request.types) types.push_back(lower(type));

  ListedGroups groups;
  visit_groups(step.state, {}, [&](const protocol::GroupId& id, const FoundGroup& group) {
    const Listed shown = listed(group);
    if (passes(states, shown.state) && passes(types, shown.type)) {
      groups.push_back({.group_id = id.value(),
                        .protocol_type = shown.protocol_type,
                        .group_state = shown.state,
                        .group_type = shown.type});
    }
    return true;
  });
  step.output.replies.push_back({token, std::move(groups), step.state.last_record});
}

}  // namespace cohort::coordinator
