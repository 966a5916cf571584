#include "server/api/config_changes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "server/api/broker_loggers.h"
#include "server/api/config_resource.h"

namespace cohort::api {
namespace {

ConfigOutcome invalid(std::string message) {
  return {ErrorCode::kInvalidRequest, std::move(message)};
}

// What is wrong with the changes themselves, whatever they are about.
std::optional<ConfigOutcome> check_changes(const ResourceChanges& resource) {
  std::set<std::string_view> names;
  std::vector<std::string_view> nulls;
  for (const topics::ConfigChange& change : resource.changes) {
    if (!names.insert(change.name).second) return invalid("Error due to duplicate config keys");
    if (change.op != topics::ConfigOp::kDelete && !change.value) nulls.push_back(change.name);
  }
  if (!nulls.empty()) return invalid(fmt::format("Null value not supported for : {}", fmt::join(nulls, ", ")));
  for (const topics::ConfigChange& change : resource.changes) {
    const auto op = static_cast<std::int8_t>(change.op);
    if (op < 0 || op > static_cast<std::int8_t>(topics::ConfigOp::kSubtract)) {
      return invalid(fmt::format("Unknown operation {} for {}", op, change.name));
    }
  }
  return std::nullopt;
}

ConfigOutcome change_loggers(const ResourceChanges& resource, std::int32_t node_id, bool validate_only) {
  std::int32_t id = 0;
  const char* const end = resource.name.data() + resource.name.size();
  if (const auto [last, error] = std::from_chars(resource.name.data(), end, id); error != std::errc{} || last != end) {
    return invalid(fmt::format("Node id must be an integer, but it is: {}", resource.name));
  }
  if (id != node_id) return invalid(fmt::format("Unexpected node id. Expected {}, but received {}", node_id, id));
  auto refusal = alter_loggers(resource.changes, validate_only);
  return refusal ? ConfigOutcome{refusal->error, std::move(refusal->message)} : ConfigOutcome{};
}

// The outcome where it is decided here; nothing for what the catalogue decides.
std::optional<ConfigOutcome> change_here(const ResourceChanges& resource, const Services& services,
                                         bool validate_only) {
  if (auto wrong = check_changes(resource)) return wrong;
  switch (static_cast<ConfigResourceType>(resource.type)) {
    case ConfigResourceType::kTopic:
    case ConfigResourceType::kGroup:
      return std::nullopt;
    case ConfigResourceType::kBroker:
      return invalid(
          "The keys of the server cannot be changed at run time; change its configuration file and start it again.");
    case ConfigResourceType::kBrokerLogger:
      // AlterConfigs does not know loggers.
      if (!resource.replace) return change_loggers(resource, services.values().node_id, validate_only);
      break;
    case ConfigResourceType::kClientMetrics:
      break;
  }
  return invalid(fmt::format("Unknown resource type {}", resource.type));
}

topics::AlterConfigs to_alter(ResourceChanges resource) {
  topics::AlterConfigs out;
  out.name = std::move(resource.name);
  out.changes = std::move(resource.changes);
  out.replace = resource.replace;
  if (resource.type == static_cast<std::int8_t>(ConfigResourceType::kGroup)) out.of = topics::ConfiguredThing::kGroup;
  return out;
}

}  // namespace

void change_configs(const Services& services, std::vector<ResourceChanges> resources, bool validate_only,
                    std::move_only_function<void(std::vector<ConfigOutcome>)> done) {
  // 1. What is named twice fails each time.
  std::map<std::pair<std::int8_t, std::string>, int> mentions;
  for (const ResourceChanges& resource : resources) ++mentions[{resource.type, resource.name}];
  // 2. What is decided here.
  std::vector<ConfigOutcome> outcomes(resources.size());
  std::vector<topics::AlterConfigs> alter;
  std::vector<std::size_t> places;  // of those that the catalogue decides
  for (std::size_t i = 0; i < resources.size(); ++i) {
    ResourceChanges& resource = resources[i];
    if (mentions[{resource.type, resource.name}] > 1) {
      outcomes[i] = invalid("Each resource must appear at most once.");
    } else if (auto outcome = change_here(resource, services, validate_only)) {
      outcomes[i] = *std::move(outcome);
    } else {
      places.push_back(i);
      alter.push_back(to_alter(std::move(resource)));
    }
  }
  if (alter.empty()) return done(std::move(outcomes));
  // 3. The catalogue's part.
  services.topics.alter_configs(std::move(alter), validate_only,
                                [outcomes = std::move(outcomes), places = std::move(places),
                                 done = std::move(done)](std::vector<topics::TopicOutcome> decided) mutable {
                                  for (std::size_t i = 0; i < decided.size(); ++i) {
                                    outcomes[places[i]] = {decided[i].error, std::move(decided[i].message)};
                                  }
                                  done(std::move(outcomes));
                                });
}

}  // namespace cohort::api
