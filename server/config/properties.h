// The Java .properties format, as far as a broker file uses it: comments (# and !), continued lines, escapes (\t \n \r
// \f
// \uXXXX, any other character for itself), "=", ":" or blank between key and value. Pure; the text is UTF-8.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace cohort::config {

struct Property {
  std::string key;
  std::string value;
  int line = 0;  // of its first character, from 1
};

// In the order of the file, repeated keys included. Fails only on a broken \u escape, naming the line.
Result<std::vector<Property>> parse_properties(std::string_view text);

}  // namespace cohort::config
