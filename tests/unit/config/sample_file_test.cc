// conf/cohort.properties explains every key; this keeps it true.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <sstream>

#include "server/config/key.h"
#include "server/config/properties.h"

namespace cohort::config {
namespace {

std::string sample_text() {
  std::ifstream file(COHORT_SOURCE_DIR "/conf/cohort.properties");
  REQUIRE(file.is_open());
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Lines "#key=value" show a default, lines "key=value" set one; prose lines begin with "# ".
std::map<std::string, std::string> shown_keys() {
  std::map<std::string, std::string> shown;
  std::istringstream lines(sample_text());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ") || line == "#" || line.empty()) continue;
    const std::string text = line.starts_with('#') ? line.substr(1) : line;
    auto parsed = parse_properties(text);
    REQUIRE(parsed.has_value());
    REQUIRE(parsed->size() == 1);
    INFO(line);
    CHECK(shown.emplace((*parsed)[0].key, (*parsed)[0].value).second);
  }
  return shown;
}

TEST_CASE("sample file: every key of the table is shown with its default and explained, and no other") {
  const auto shown = shown_keys();
  for (const Key& key : keys()) {
    INFO(key.name);
    const auto found = shown.find(std::string(key.name));
    REQUIRE(found != shown.end());
    CHECK(found->second == key.default_text.value_or(""));
  }
  for (const auto& [name, value] : shown) {
    INFO(name);
    CHECK(find_key(name) != nullptr);
  }
}

TEST_CASE("sample file: each key is preceded by its explanation") {
  // Lines are wrapped in the file: compare without the wrapping.
  std::string flat;
  std::istringstream lines(sample_text());
  for (std::string line; std::getline(lines, line);)
    flat += line.starts_with("# ") ? line.substr(2) + " " : line + "\n";
  for (const Key& key : keys()) {
    INFO(key.name);
    const std::size_t doc = flat.find(key.doc);
    REQUIRE(doc != std::string::npos);
    CHECK(flat.find(std::string(key.name) + "=", doc) != std::string::npos);
  }
}

}  // namespace
}  // namespace cohort::config
