// The README's table of served APIs says what the API table says, in the same order.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "server/api/api_table.h"

namespace cohort::api {
namespace {

std::vector<std::string> rows_of_readme() {
  std::ifstream readme(COHORT_SOURCE_DIR "/README.md");
  const std::regex row(R"(^\| (\d+) \| (\w+) \| (\S+) \|.*)");
  std::vector<std::string> rows;
  for (std::string line; std::getline(readme, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) {
      rows.push_back(fmt::format("{} {} {}", match[1].str(), match[2].str(), match[3].str()));
    }
  }
  return rows;
}

std::string versions(const ApiRow& row) {
  return row.min_version == row.max_version ? fmt::format("{}", row.min_version)
                                            : fmt::format("{}–{}", row.min_version, row.max_version);
}

TEST_CASE("the README lists the served APIs with their versions") {
  std::vector<std::string> served;
  for (const ApiRow& row : api_table()) served.push_back(fmt::format("{} {} {}", row.key, row.name, versions(row)));
  CHECK(rows_of_readme() == served);
}

}  // namespace
}  // namespace cohort::api
