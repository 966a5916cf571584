#include "codegen/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "codegen/default_value.h"
#include "codegen/naming.h"
#include "codegen/validate.h"

namespace cohort::codegen {
namespace {

using Json = nlohmann::json;

constexpr std::pair<std::string_view, Kind> kKinds[] = {
    {"bool", Kind::kBool},     {"int8", Kind::kInt8},     {"int16", Kind::kInt16}, {"uint16", Kind::kUint16},
    {"int32", Kind::kInt32},   {"uint32", Kind::kUint32}, {"int64", Kind::kInt64}, {"float64", Kind::kFloat64},
    {"string", Kind::kString}, {"uuid", Kind::kUuid},     {"bytes", Kind::kBytes}, {"records", Kind::kRecords},
};
constexpr std::pair<std::string_view, MessageType> kMessageTypes[] = {
    {"request", MessageType::kRequest},
    {"response", MessageType::kResponse},
    {"header", MessageType::kHeader},
    {"data", MessageType::kData},
    {"coordinator-key", MessageType::kRecordKey},
    {"coordinator-value", MessageType::kRecordValue},
};

// Keeps the first problem and lets the rest of the parse run on; the caller asks once.
class Parser {
 public:
  Parser(const std::string& file, const std::string& log) { message_.file = file, message_.log = log; }

  std::expected<Message, std::string> run(std::string_view text) {
    const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded())
      report("", "is not JSON");
    else if (!json.is_object())
      report("", "is not a JSON object");
    else
      parse_message(json);
    if (problem_.empty()) {
      if (auto problem = validate(message_)) report(problem->field, problem->reason);
    }
    if (!problem_.empty()) return std::unexpected(problem_);
    return std::move(message_);
  }

 private:
  void report(const std::string& field, const std::string& reason) {
    if (!problem_.empty()) return;
    problem_ = field.empty() ? fmt::format("{}: {}", message_.file, reason)
                             : fmt::format("{}: {}: {}", message_.file, field, reason);
  }

  void allow_keys(const Json& json, const std::string& field, std::initializer_list<std::string_view> allowed) {
    for (const auto& [key, value] : json.items()) {
      if (std::ranges::find(allowed, key) == allowed.end()) report(field, fmt::format("unknown key \"{}\"", key));
    }
  }

  std::string text_of(const Json& json, const std::string& field, const char* key, bool required) {
    const auto at = json.find(key);
    if (at == json.end()) {
      if (required) report(field, fmt::format("\"{}\" is missing", key));
      return "";
    }
    if (!at->is_string()) {
      report(field, fmt::format("\"{}\" is not a string", key));
      return "";
    }
    return at->get<std::string>();
  }

  bool flag_of(const Json& json, const std::string& field, const char* key) {
    const auto at = json.find(key);
    if (at == json.end()) return false;
    if (!at->is_boolean()) {
      report(field, fmt::format("\"{}\" is not true or false", key));
      return false;
    }
    return at->get<bool>();
  }

  // "none", "3", "3-5" or "3+"
  VersionRange range_of(const std::string& field, const char* key, const std::string& text) {
    if (text == "none") return {};
    VersionRange range;
    const char* end = text.data() + text.size();
    auto [rest, error] = std::from_chars(text.data(), end, range.low);
    bool good = error == std::errc() && range.low >= 0;
    if (good && rest == end) {
      range.high = range.low;
    } else if (good && *rest == '+' && rest + 1 == end) {
      range.high = kMaxVersionNumber;
    } else if (good && *rest == '-') {
      const auto [last, last_error] = std::from_chars(rest + 1, end, range.high);
      good = last_error == std::errc() && last == end;
    } else {
      good = false;
    }
    if (!good || range.empty() || range.high > kMaxVersionNumber) {
      report(field, fmt::format("\"{}\" is no version range: \"{}\"", key, text));
      return {};
    }
    return range;
  }

  std::optional<VersionRange> range_at(const Json& json, const std::string& field, const char* key) {
    if (!json.contains(key)) return std::nullopt;
    return range_of(field, key, text_of(json, field, key, true));
  }

  void parse_message(const Json& json) {
    allow_keys(json, "",
               {"apiKey", "type", "listeners", "name", "about", "validVersions", "flexibleVersions",
                "latestVersionUnstable", "fields", "commonStructs"});
    message_.body.name = text_of(json, "", "name", true);
    message_.body.about = text_of(json, "", "about", false);
    const std::string type = text_of(json, "", "type", true);
    const auto* const known = std::ranges::find(kMessageTypes, type, &std::pair<std::string_view, MessageType>::first);
    if (known == std::end(kMessageTypes)) return report("", fmt::format("unknown type \"{}\"", type));
    message_.type = known->second;
    parse_api_key(json);
    message_.latest_version_unstable = flag_of(json, "", "latestVersionUnstable");
    message_.versions = range_of("", "validVersions", text_of(json, "", "validVersions", true));
    message_.flexible =
        range_of("", "flexibleVersions", text_of(json, "", "flexibleVersions", true)).intersect(message_.versions);
    if (message_.versions.empty()) return report("", "has no valid versions");
    message_.body.versions = message_.versions;
    if (json.contains("commonStructs")) parse_common(json["commonStructs"]);
    parse_fields(json, "", message_.body);
  }

  void parse_api_key(const Json& json) {
    const auto at = json.find("apiKey");
    const bool wanted = message_.type != MessageType::kHeader && message_.type != MessageType::kData;
    if (at == json.end()) {
      if (wanted) report("", "\"apiKey\" is missing");
      return;
    }
    if (!wanted) return report("", "\"apiKey\" has no meaning for this type");
    if (!at->is_number_integer() || at->get<std::int64_t>() < 0 || at->get<std::int64_t>() > kMaxVersionNumber) {
      return report("", "\"apiKey\" is not a number from 0 to 32767");
    }
    message_.api_key = at->get<int>();
  }

  void parse_common(const Json& json) {
    if (!json.is_array()) return report("", "\"commonStructs\" is not an array");
    for (const Json& entry : json) {
      if (!entry.is_object()) return report("", "\"commonStructs\" holds something that is no object");
      Struct common;
      common.name = text_of(entry, "commonStructs", "name", true);
      allow_keys(entry, common.name, {"name", "about", "versions", "fields"});
      common.about = text_of(entry, common.name, "about", false);
      common.versions =
          range_of(common.name, "versions", text_of(entry, common.name, "versions", true)).intersect(message_.versions);
      parse_fields(entry, common.name, common);
      message_.structs.push_back(std::move(common));
    }
  }

  // Nested structs are appended to the message's, each behind those that it contains.
  void parse_fields(const Json& json, const std::string& path, Struct& into) {
    const auto at = json.find("fields");
    if (at == json.end() || !at->is_array()) return report(path, "\"fields\" is missing or not an array");
    for (const Json& entry : *at) {
      if (!entry.is_object()) return report(path, "\"fields\" holds something that is no object");
      const std::size_t structs = message_.structs.size();
      Field field = parse_field(entry, path, into.versions);
      // Kafka keeps some fields of versions that are gone: they are never on the wire, so nobody gets to see them.
      if (field.versions.empty())
        message_.structs.resize(structs);
      else
        into.fields.push_back(std::move(field));
    }
  }

  Field parse_field(const Json& json, const std::string& path, VersionRange context) {
    Field field;
    field.name = text_of(json, path, "name", true);
    const std::string where = path.empty() ? field.name : path + "." + field.name;
    allow_keys(json, where,
               {"name", "type", "about", "versions", "nullableVersions", "taggedVersions", "tag", "default",
                "ignorable", "mapKey", "entityType", "zeroCopy", "flexibleVersions", "fields"});
    field.about = text_of(json, where, "about", false);
    field.ignorable = flag_of(json, where, "ignorable");
    flag_of(json, where, "mapKey");
    flag_of(json, where, "zeroCopy");
    text_of(json, where, "entityType", false);
    parse_versions(json, where, context, field);
    parse_type(text_of(json, where, "type", true), where, field.type);
    if (json.contains("fields")) {
      if (field.type.kind != Kind::kStruct) report(where, "has \"fields\" but is no struct");
      Struct nested{.name = field.type.struct_name, .about = field.about, .versions = field.versions, .fields = {}};
      parse_fields(json, where, nested);
      message_.structs.push_back(std::move(nested));
    }
    const Json* value = json.contains("default") ? &json["default"] : nullptr;
    auto parsed = parse_default(field.type, field.is_nullable(), value);
    if (parsed)
      field.default_value = *std::move(parsed);
    else
      report(where, parsed.error());
    return field;
  }

  void parse_versions(const Json& json, const std::string& where, VersionRange context, Field& field) {
    const auto tagged = range_at(json, where, "taggedVersions");
    auto versions = range_at(json, where, "versions");
    if (!versions && tagged) versions = tagged;
    if (!versions) return report(where, "\"versions\" is missing");
    field.versions = versions->intersect(context);
    field.nullable = range_at(json, where, "nullableVersions").value_or(VersionRange{}).intersect(field.versions);
    field.flexible = range_at(json, where, "flexibleVersions");

    const auto tag = json.find("tag");
    if ((tag != json.end()) != tagged.has_value()) return report(where, "\"tag\" and \"taggedVersions\" go together");
    if (!tagged) return;
    if (*tagged != *versions) report(where, "\"taggedVersions\" differs from \"versions\"");
    if (tagged->high != kMaxVersionNumber)
      report(where, "a tag cannot be taken away again: \"taggedVersions\" must end with +");
    if (!tag->is_number_integer() || tag->get<std::int64_t>() < 0 || tag->get<std::int64_t>() > kMaxVersionNumber) {
      return report(where, "\"tag\" is not a number from 0 to 32767");
    }
    field.tag = tag->get<std::uint32_t>();
  }

  void parse_type(std::string text, const std::string& where, Type& type) {
    if (text.starts_with("[]")) {
      type.is_array = true;
      text.erase(0, 2);
    }
    const auto* const known = std::ranges::find(kKinds, text, &std::pair<std::string_view, Kind>::first);
    if (known != std::end(kKinds)) {
      type.kind = known->second;
    } else if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
      type.kind = Kind::kStruct;
      type.struct_name = text;
    } else {
      report(where, fmt::format("unknown type \"{}\"", text));
    }
  }

  Message message_;
  std::string problem_;
};

}  // namespace

std::expected<Message, std::string> parse_schema(std::string_view text, const std::string& file,
                                                 const std::string& log) {
  return Parser(file, log).run(text);
}

}  // namespace cohort::codegen
