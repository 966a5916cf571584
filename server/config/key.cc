#include "server/config/key.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <unordered_map>

#include "server/config/parse.h"

namespace cohort::config {
namespace {

std::string_view type_words(KeyType type) {
  switch (type) {
    case KeyType::kBoolean:
      return "true or false";
    case KeyType::kString:
      return "text";
    case KeyType::kInt:
    case KeyType::kShort:
    case KeyType::kLong:
      return "a whole number";
    case KeyType::kDouble:
      return "a number";
    case KeyType::kList:
      return "a list with commas";
  }
  return "";
}

bool is_allowed(const Key& key, std::string_view text) {
  return key.allowed.empty() || std::ranges::find(key.allowed, text) != key.allowed.end();
}

std::optional<std::vector<std::string>> parse_list(const Key& key, std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    if (item.empty() || !is_allowed(key, item) || std::ranges::find(items, item) != items.end()) return std::nullopt;
    items.emplace_back(item);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
  }
  if (items.empty()) return std::nullopt;
  return items;
}

// The bounds that a key's type puts on it, together with its own.
std::pair<double, double> range_of(const Key& key) {
  if (key.type != KeyType::kInt) return {key.min, key.max};
  return {std::max(key.min, -2147483648.0), std::min(key.max, 2147483647.0)};
}

std::optional<Value> parse_unchecked(const Key& key, std::string_view text) {
  switch (key.type) {
    case KeyType::kBoolean:
      if (same_but_case(text, "true")) return Value{true};
      if (same_but_case(text, "false")) return Value{false};
      return std::nullopt;
    case KeyType::kString: {
      if (!key.any_case) return is_allowed(key, text) ? std::optional(Value{std::string(text)}) : std::nullopt;
      const auto found = std::ranges::find_if(key.allowed, [&](auto one) { return same_but_case(one, text); });
      return found != key.allowed.end() ? std::optional(Value{std::string(*found)}) : std::nullopt;
    }
    case KeyType::kList:
      if (auto list = parse_list(key, text)) return Value{*std::move(list)};
      return std::nullopt;
    case KeyType::kInt:
    case KeyType::kShort:
    case KeyType::kLong: {
      const auto number = parse_number<std::int64_t>(text);
      const auto [min, max] = range_of(key);
      if (!number || static_cast<double>(*number) < min || static_cast<double>(*number) > max) return std::nullopt;
      return Value{*number};
    }
    case KeyType::kDouble: {
      const auto number = parse_number<double>(text);
      if (!number || !(*number >= key.min && *number <= key.max)) return std::nullopt;
      return Value{*number};
    }
  }
  return std::nullopt;
}

}  // namespace

std::span<const Key> keys() {
  static const std::vector<Key> all = [] {
    std::vector<Key> table = net_keys();
    for (auto part : {log_keys(), group_keys()}) table.insert(table.end(), part.begin(), part.end());
    return table;
  }();
  return all;
}

const Key* find_key(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const Key*> map;
    for (const Key& key : keys()) map.emplace(key.name, &key);
    return map;
  }();
  const auto found = index.find(name);
  return found == index.end() ? nullptr : found->second;
}

std::string describe_allowed(const Key& key) {
  if (!key.allowed.empty()) {
    return fmt::format("{} {}", key.type == KeyType::kList ? "a list without repeats of" : "one of",
                       fmt::join(key.allowed, ", "));
  }
  const bool whole = key.type == KeyType::kInt || key.type == KeyType::kShort || key.type == KeyType::kLong;
  if (!whole && key.type != KeyType::kDouble) return std::string(type_words(key.type));
  const auto [min, max] = range_of(key);
  const bool has_min = min > -9e18;
  const bool has_max = max < 9e18;
  if (has_min && has_max) return fmt::format("{} from {} to {}", type_words(key.type), min, max);
  if (has_min) return fmt::format("{} of at least {}", type_words(key.type), min);
  if (has_max) return fmt::format("{} of at most {}", type_words(key.type), max);
  return std::string(type_words(key.type));
}

Result<Value> parse_value(const Key& key, std::string_view text) {
  auto value = parse_unchecked(key, trimmed(text));
  if (!value) return fail(ErrorKind::kInvalid, describe_allowed(key));
  return *std::move(value);
}

}  // namespace cohort::config
