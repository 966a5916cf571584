#include "codegen/cpp.h"

#include <fmt/format.h>

namespace cohort::codegen {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string element_type(const Type& type, const std::string& scope) {
  switch (type.kind) {
    case Kind::kBool:
      return "bool";
    case Kind::kInt8:
      return "std::int8_t";
    case Kind::kInt16:
      return "std::int16_t";
    case Kind::kUint16:
      return "std::uint16_t";
    case Kind::kInt32:
      return "std::int32_t";
    case Kind::kUint32:
      return "std::uint32_t";
    case Kind::kInt64:
      return "std::int64_t";
    case Kind::kFloat64:
      return "double";
    case Kind::kString:
      return "Text";
    case Kind::kUuid:
      return "Uuid";
    case Kind::kBytes:
      return "Bytes";
    case Kind::kRecords:
      return "Records";
    case Kind::kStruct:
      return scope + type.struct_name;
  }
  return "";
}

std::string member_type(const Field& field, const std::string& scope) {
  std::string type = element_type(field.type, scope);
  if (field.type.is_array) type = fmt::format("std::vector<{}>", type);
  if (field.is_nullable()) type = fmt::format("std::optional<{}>", type);
  return type;
}

std::string default_expression(const Field& field, const std::string& scope) {
  if (field.is_nullable()) {
    if (field.default_value.is_null) return "std::nullopt";
    if (field.type.is_array) return fmt::format("std::vector<{}>()", element_type(field.type, scope));
    if (field.type.kind == Kind::kString) return fmt::format("Text({})", quoted(field.default_value.text));
    return element_type(field.type, scope) + "()";
  }
  if (field.type.is_array) return "{}";
  switch (field.type.kind) {
    case Kind::kString:
      return field.default_value.text.empty() ? "{}" : quoted(field.default_value.text);
    case Kind::kUuid:
    case Kind::kBytes:
    case Kind::kRecords:
    case Kind::kStruct:
      return "{}";
    default:
      return field.default_value.text;
  }
}

std::string is_default(const Field& field, const std::string& expression, const std::string& scope) {
  std::string value = expression;
  std::string present;
  if (field.is_nullable()) {
    if (field.default_value.is_null) return fmt::format("!{}.has_value()", expression);
    present = fmt::format("{}.has_value() && ", expression);
    value = fmt::format("(*{})", expression);
  }
  if (field.type.is_array) return fmt::format("{}{}.empty()", present, value);
  switch (field.type.kind) {
    case Kind::kString:
      if (field.default_value.text.empty()) return fmt::format("{}{}.empty()", present, value);
      return fmt::format("{}{} == {}", present, value, quoted(field.default_value.text));
    case Kind::kUuid:
      return fmt::format("{}.is_zero()", value);
    case Kind::kBytes:
    case Kind::kRecords:
      return fmt::format("{}{}.empty()", present, value);
    case Kind::kStruct:
      return fmt::format("{}{} == {}()", present, value, element_type(field.type, scope));
    default:
      return fmt::format("{} == {}", value, field.default_value.text);
  }
}

std::string version_condition(VersionRange range, VersionRange context) {
  const VersionRange common = range.intersect(context);
  if (common.empty()) return "false";
  const bool low = common.low > context.low;
  const bool high = common.high < context.high;
  if (low && high) return fmt::format("version >= {} && version <= {}", common.low, common.high);
  if (low) return fmt::format("version >= {}", common.low);
  if (high) return fmt::format("version <= {}", common.high);
  return "true";
}

bool is_fixed_integer(Kind kind) {
  return kind == Kind::kInt8 || kind == Kind::kInt16 || kind == Kind::kInt32 || kind == Kind::kInt64;
}

}  // namespace cohort::codegen
