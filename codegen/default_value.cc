#include "codegen/default_value.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace cohort::codegen {
namespace {

struct Limits {
  std::int64_t low;
  std::int64_t high;
};

std::optional<Limits> limits_of(Kind kind) {
  switch (kind) {
    case Kind::kInt8:
      return Limits{-128, 127};
    case Kind::kInt16:
      return Limits{-32768, 32767};
    case Kind::kUint16:
      return Limits{0, 65535};
    case Kind::kInt32:
      return Limits{std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case Kind::kUint32:
      return Limits{0, std::numeric_limits<std::uint32_t>::max()};
    case Kind::kInt64:
      return Limits{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    default:
      return std::nullopt;
  }
}

std::optional<std::int64_t> to_integer(const nlohmann::json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  const bool hex = text.starts_with("0x");
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + (hex ? 2 : 0), end, number, hex ? 16 : 10);
  if (error != std::errc() || rest != end) return std::nullopt;
  return number;
}

// The smallest numbers have no literal of their own in C++.
std::string spell(Kind kind, std::int64_t number) {
  if (kind == Kind::kInt64 && number == std::numeric_limits<std::int64_t>::min()) return "INT64_MIN";
  if (kind == Kind::kInt32 && number == std::numeric_limits<std::int32_t>::min()) return "INT32_MIN";
  return fmt::format("{}", number);
}

}  // namespace

std::expected<Default, std::string> parse_default(const Type& type, bool nullable, const nlohmann::json* value) {
  const bool given = value != nullptr && !value->is_null();
  if (!given && !type.is_array && type.kind == Kind::kRecords && nullable) return Default{.is_null = true, .text = ""};
  if (given && value->is_string() && value->get_ref<const std::string&>() == "null") {
    if (!nullable) return std::unexpected("the default is null but the field never is");
    return Default{.is_null = true, .text = ""};
  }
  if (type.is_array || type.kind == Kind::kStruct || type.kind == Kind::kBytes || type.kind == Kind::kRecords) {
    if (given) return std::unexpected("only null can be the default of an array, struct, bytes or records");
    return Default{};
  }
  if (type.kind == Kind::kString) {
    if (given && !value->is_string()) return std::unexpected("the default is no string");
    return Default{.is_null = false, .text = given ? value->get<std::string>() : ""};
  }
  if (type.kind == Kind::kUuid) {
    if (given) return std::unexpected("a uuid has no default but zero");
    return Default{};
  }
  if (type.kind == Kind::kBool) {
    if (!given) return Default{.is_null = false, .text = "false"};
    if (value->is_boolean()) return Default{.is_null = false, .text = value->get<bool>() ? "true" : "false"};
    if (*value == "true" || *value == "false") return Default{.is_null = false, .text = value->get<std::string>()};
    return std::unexpected("the default is neither true nor false");
  }
  if (type.kind == Kind::kFloat64) {
    if (given) return std::unexpected("a float64 has no default but zero");
    return Default{.is_null = false, .text = "0.0"};
  }
  if (!given) return Default{.is_null = false, .text = "0"};
  const auto number = to_integer(*value);
  const auto limits = limits_of(type.kind);
  if (!number || !limits) return std::unexpected("the default is no number");
  if (*number < limits->low || *number > limits->high) {
    return std::unexpected(fmt::format("the default {} does not fit the type", *number));
  }
  return Default{.is_null = false, .text = spell(type.kind, *number)};
}

}  // namespace cohort::codegen
