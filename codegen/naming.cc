#include "codegen/naming.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace cohort::codegen {
namespace {

bool is_upper(char c) {
  return std::isupper(static_cast<unsigned char>(c)) != 0;
}
char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}
char upper(char c) {
  return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
}

constexpr std::array<std::string_view, 24> kReserved = {
    "and",    "auto",      "bool",   "case",     "char", "class",    "const",    "default",
    "delete", "do",        "double", "else",     "enum", "explicit", "export",   "false",
    "float",  "namespace", "new",    "operator", "or",   "private",  "register", "true"};

}  // namespace

std::string snake_case(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool word_begins =
        i > 0 && is_upper(name[i]) && (!is_upper(name[i - 1]) || (i + 1 < name.size() && !is_upper(name[i + 1])));
    if (word_begins) out += '_';
    out += lower(name[i]);
  }
  return out;
}

std::string member_name(std::string_view name) {
  std::string out = snake_case(name);
  if (std::ranges::find(kReserved, out) != kReserved.end()) out += '_';
  return out;
}

std::string json_name(std::string_view name) {
  std::string out(name);
  if (!out.empty()) out[0] = lower(out[0]);
  return out;
}

std::string pascal_case(std::string_view name) {
  std::string out(name);
  if (!out.empty()) out[0] = upper(out[0]);
  return out;
}

}  // namespace cohort::codegen
