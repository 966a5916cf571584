// DescribeConfigs v1-4 (key 32): the configuration of topics, groups and this server.
//   v1 sources and synonyms, v3 types and documentation.
// The keys of the server are all read-only: its file is what sets them. A group need not exist to be described; its
// values are those that it was given, also when the server's bounds have changed since. BROKER_LOGGER describes the
// levels of the log. Client metrics are not served. One bad resource fails alone. Kafka answers however much is asked
// for. Here a resource is described once, and what is above kMaxEntries is INVALID_REQUEST: a group's few bytes of
// name, invented or not, bring a kilobyte of settings.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "protocol/messages/describe_configs_request.h"
#include "protocol/messages/describe_configs_response.h"
#include "server/api/broker_loggers.h"
#include "server/api/common.h"
#include "server/api/config_resource.h"
#include "server/api/handlers.h"
#include "server/topics/topic_name.h"

namespace cohort::api {
namespace {

using Request = protocol::DescribeConfigsRequest;
using Response = protocol::DescribeConfigsResponse;
using Entry = Response::DescribeConfigsResourceResult;

// Of settings in one answer: some 15 MB with documentation, all settings of 3,000 topics.
constexpr std::size_t kMaxEntries = 100'000;

enum class Source : std::int8_t { kStaticBroker = 4, kDefault = 5, kBrokerLogger = 6, kGroup = 8 };

void fail_with(Response::DescribeConfigsResult& out, ErrorCode error, std::string message) {
  out.error_code = to_wire(error);
  out.error_message = Text(message);
}

bool is_asked_for(const Request::DescribeConfigsResource& resource, std::string_view name) {
  // No list and an empty one ask for everything (Kafka's ConfigHelperUtils).
  return !resource.configuration_keys || resource.configuration_keys->empty() ||
         std::ranges::any_of(*resource.configuration_keys, [&](const Text& key) { return key == name; });
}

void describe_topic(Response::DescribeConfigsResult& out, const Request& request,
                    const Request::DescribeConfigsResource& resource, const Call& call) {
  const std::string_view name = resource.resource_name;
  if (const auto wrong = topics::why_invalid_name(name))
    return fail_with(out, ErrorCode::kInvalidTopicException, *wrong);
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const topics::TopicInfo* topic = snapshot->find(name);
  if (!topic) return fail_with(out, ErrorCode::kUnknownTopicOrPartition, "There is no such topic.");
  config::TopicDefaults defaults = call.services().values().topics;
  if (topic->internal) defaults.durability = call.services().values().offsets_topic.durability;
  for (auto& described : topics::describe_config(topic->overrides, defaults)) {
    if (!is_asked_for(resource, described.name)) continue;
    Entry entry;
    entry.name = Text(described.name);
    entry.value = Text(described.value);
    entry.config_source = static_cast<std::int8_t>(described.source);
    for (const auto& from : described.synonyms) {
      if (!request.include_synonyms) break;
      Response::DescribeConfigsSynonym synonym;
      synonym.name = Text(from.name);
      synonym.value = Text(from.value);
      synonym.source = static_cast<std::int8_t>(from.source);
      entry.synonyms.push_back(std::move(synonym));
    }
    if (call.version() >= 3) {
      entry.config_type = static_cast<std::int8_t>(described.type);
      if (request.include_documentation) entry.documentation = Text(described.documentation);
    }
    out.configs.push_back(std::move(entry));
  }
}

// Of a key whose value may be another one than was set.
std::optional<std::string> value_in_use(const config::Setting& setting, const Call& call) {
  if (setting.key->name == "broker.id") return fmt::format("{}", node_id(call));
  if (setting.key->name == "offsets.topic.num.partitions") {
    const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
    const topics::TopicInfo* offsets = snapshot->find(topics::kConsumerOffsetsTopic);
    if (offsets != nullptr) return fmt::format("{}", offsets->partitions);
  }
  return setting.value;
}

Entry broker_entry(const config::Setting& setting, const Request& request, const Call& call) {
  Entry entry;
  entry.name = Text(setting.key->name);
  const std::optional<std::string> value = value_in_use(setting, call);
  entry.value = value ? std::optional(Text(*value)) : std::nullopt;
  entry.read_only = true;
  const auto source = setting.source == config::Source::kDefault ? Source::kDefault : Source::kStaticBroker;
  entry.config_source = static_cast<std::int8_t>(source);
  if (request.include_synonyms && value) {
    Response::DescribeConfigsSynonym synonym;
    synonym.name = Text(setting.key->name);
    synonym.value = Text(*value);
    synonym.source = static_cast<std::int8_t>(source);
    entry.synonyms.push_back(std::move(synonym));
  }
  if (call.version() >= 3) {
    entry.config_type = static_cast<std::int8_t>(setting.key->type);
    if (request.include_documentation) entry.documentation = Text(setting.key->doc);
  }
  return entry;
}

void describe_broker(Response::DescribeConfigsResult& out, const Request& request,
                     const Request::DescribeConfigsResource& resource, const Call& call) {
  // The empty name asks for what is set for all brokers at run time: nothing can be.
  if (resource.resource_name.empty()) return;
  if (resource.resource_name != fmt::format("{}", node_id(call))) {
    return fail_with(out, ErrorCode::kInvalidRequest,
                     fmt::format("Unexpected broker id, expected {} or empty string, but received {}", node_id(call),
                                 resource.resource_name));
  }
  for (const config::Setting& setting : call.services().config.settings) {
    if (is_asked_for(resource, setting.key->name)) out.configs.push_back(broker_entry(setting, request, call));
  }
}

void describe_group(Response::DescribeConfigsResult& out, const Request& request,
                    const Request::DescribeConfigsResource& resource, const Call& call) {
  if (resource.resource_name.empty()) {
    return fail_with(out, ErrorCode::kInvalidRequest, "Group name must not be empty");
  }
  const config::GroupConfig& server = call.services().values().group;
  static const config::GroupConfig kBuiltIn;
  const std::shared_ptr<const topics::CatalogueSnapshot> snapshot = call.services().topics.snapshot();
  const auto own = snapshot->groups().find(resource.resource_name.view());
  for (const config::GroupSettingKey& key : config::group_setting_keys()) {
    if (!is_asked_for(resource, key.name)) continue;
    Entry entry;
    entry.name = Text(key.name);
    const auto add = [&](std::string_view name, std::string_view value, Source source) {
      Response::DescribeConfigsSynonym synonym;
      synonym.name = Text(name);
      synonym.value = Text(value);
      synonym.source = static_cast<std::int8_t>(source);
      entry.synonyms.push_back(std::move(synonym));
    };
    if (own != snapshot->groups().end()) {
      const auto value = own->second.find(key.name);
      if (value != own->second.end()) add(key.name, value->second, Source::kGroup);
    }
    const auto text = [&](const config::GroupConfig& from) { return fmt::format("{}", from.*(key.value) / key.unit); };
    if (server.*(key.value) != kBuiltIn.*(key.value)) add(key.server_key, text(server), Source::kStaticBroker);
    add(key.server_key, text(kBuiltIn), Source::kDefault);
    // The first synonym is the one that counts.
    entry.value = entry.synonyms.front().value;
    entry.config_source = entry.synonyms.front().source;
    if (!request.include_synonyms) entry.synonyms.clear();
    if (call.version() >= 3) {
      entry.config_type = static_cast<std::int8_t>(config::KeyType::kInt);
      if (request.include_documentation) entry.documentation = Text(key.doc);
    }
    out.configs.push_back(std::move(entry));
  }
}

// ConfigHelper.describeConfigs: a level has neither type nor synonyms.
void describe_broker_loggers(Response::DescribeConfigsResult& out, const Request::DescribeConfigsResource& resource,
                             const Call& call) {
  const std::string_view name = resource.resource_name;
  if (name.empty()) return fail_with(out, ErrorCode::kInvalidRequest, "Broker id must not be empty");
  if (name.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail_with(out, ErrorCode::kInvalidRequest, fmt::format("Broker id must be an integer, but it is: {}", name));
  }
  if (name != fmt::format("{}", node_id(call))) {
    return fail_with(out, ErrorCode::kInvalidRequest,
                     fmt::format("Unexpected broker id, expected {} but received {}", node_id(call), name));
  }
  for (const auto& [logger, level] : describe_loggers()) {
    if (!is_asked_for(resource, logger)) continue;
    Entry entry;
    entry.name = Text(logger);
    entry.value = Text(level);
    entry.config_source = static_cast<std::int8_t>(Source::kBrokerLogger);
    out.configs.push_back(std::move(entry));
  }
}

void describe(Response::DescribeConfigsResult& out, const Request& request,
              const Request::DescribeConfigsResource& resource, const Call& call) {
  switch (static_cast<ConfigResourceType>(resource.resource_type)) {
    case ConfigResourceType::kTopic:
      return describe_topic(out, request, resource, call);
    case ConfigResourceType::kBroker:
      return describe_broker(out, request, resource, call);
    case ConfigResourceType::kGroup:
      return describe_group(out, request, resource, call);
    case ConfigResourceType::kBrokerLogger:
      return describe_broker_loggers(out, resource, call);
    case ConfigResourceType::kClientMetrics:
      break;
  }
  fail_with(out, ErrorCode::kInvalidRequest, fmt::format("Unsupported resource type: {}", resource.resource_type));
}

}  // namespace

void handle_describe_configs(Call call, Request request) {
  Response response;
  std::set<std::pair<std::int8_t, std::string_view>> seen;
  std::size_t entries = 0;
  for (const auto& resource : request.resources) {
    Response::DescribeConfigsResult out;
    out.resource_type = resource.resource_type;
    out.resource_name = Text(resource.resource_name);
    if (!seen.emplace(resource.resource_type, resource.resource_name.view()).second) {
      fail_with(out, ErrorCode::kInvalidRequest, "Each resource must appear at most once.");
    } else if (entries >= kMaxEntries) {
      fail_with(out, ErrorCode::kInvalidRequest, "Too many resources in one request.");
    } else {
      describe(out, request, resource, call);
    }
    entries += out.configs.size();
    response.results.push_back(std::move(out));
  }
  call.reply(response);
}

}  // namespace cohort::api
