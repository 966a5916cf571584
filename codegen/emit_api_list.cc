#include <algorithm>
#include <map>

#include "codegen/emit.h"

namespace cohort::codegen {
namespace {

int first_flexible(const Message& message) {
  return message.flexible.empty() ? kMaxVersionNumber : message.flexible.low;
}

}  // namespace

std::string emit_api_list(const std::vector<Message>& messages) {
  std::map<int, std::pair<const Message*, const Message*>> apis;
  for (const Message& message : messages) {
    if (message.type == MessageType::kRequest) apis[*message.api_key].first = &message;
    if (message.type == MessageType::kResponse) apis[*message.api_key].second = &message;
  }
  Code code;
  code.text("// Made by codegen from the schemas of all requests and responses. Do not edit.");
  code.text("#pragma once");
  code.blank();
  code.text("#include <cstdint>");
  code.text("#include <string_view>");
  code.blank();
  code.text("namespace cohort::protocol {");
  code.blank();
  code.open("enum class ApiKey : std::int16_t {{");
  const auto short_name = [](const Message& request) {
    return request.name().substr(0, request.name().size() - std::string_view("Request").size());
  };
  for (const auto& [key, api] : apis) code.line("k{} = {},", short_name(*api.first), key);
  code.close("};");
  code.blank();
  code.text("// An API of the protocol that a broker's listener may serve; what is served is another question.");
  code.open("struct ApiInfo {{");
  code.text("ApiKey key;");
  code.text("std::string_view name;  // as Kafka's ApiKeys prints it: \"JoinGroup\"");
  code.text("std::int16_t min_version;");
  code.text("std::int16_t max_version;");
  code.text("std::int16_t request_first_flexible;   // 32767: no version is flexible");
  code.text("std::int16_t response_first_flexible;  // likewise");
  code.text("bool latest_version_unstable;          // max_version is not to be announced");
  code.close("};");
  code.blank();
  code.text("// In ascending order of keys.");
  code.open("inline constexpr ApiInfo kApis[] = {{");
  for (const auto& [key, api] : apis) {
    const auto& [request, response] = api;
    code.line("{{ApiKey::k{}, \"{}\", {}, {}, {}, {}, {}}},", short_name(*request), short_name(*request),
              request->versions.low, request->versions.high, first_flexible(*request), first_flexible(*response),
              request->latest_version_unstable);
  }
  code.close("};");
  code.blank();
  code.text("// Null for a key that is no API of a broker.");
  code.open("constexpr const ApiInfo* find_api(std::int16_t key) {{");
  code.open("for (const ApiInfo& api : kApis) {{");
  code.text("if (static_cast<std::int16_t>(api.key) == key) return &api;");
  code.close();
  code.text("return nullptr;");
  code.close();
  code.blank();
  code.text("// Version of the header in front of a request or response of this API and version.");
  code.open("constexpr std::int16_t request_header_version(const ApiInfo& api, std::int16_t version) {{");
  code.text("return version >= api.request_first_flexible ? 2 : 1;");
  code.close();
  code.text(
      "// An ApiVersions response has header 0 whatever its version: a client reads it before it knows what we speak.");
  code.open("constexpr std::int16_t response_header_version(const ApiInfo& api, std::int16_t version) {{");
  code.text("if (api.key == ApiKey::kApiVersions) return 0;");
  code.text("return version >= api.response_first_flexible ? 1 : 0;");
  code.close();
  code.blank();
  code.text("}  // namespace cohort::protocol");
  return code.str();
}

}  // namespace cohort::codegen
