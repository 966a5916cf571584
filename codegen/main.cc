// cohort_codegen SCHEMAS OUT: reads SCHEMAS/messages/*.json and SCHEMAS/records/LOG/*.json, writes the C++ of all
// messages to OUT/protocol. Stops with one line when a schema is wrong. A file whose text did not change is not
// touched, so that nothing is compiled again without need.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "codegen/emit.h"
#include "codegen/emit_tests.h"
#include "codegen/parse.h"
#include "codegen/validate.h"

namespace fs = std::filesystem;
namespace cg = cohort::codegen;

namespace {

// Compiled in so many units: few enough to spare the headers, enough for two cores and for ccache.
constexpr std::size_t kUnits = 20;
constexpr std::size_t kTestUnits = 8;

std::expected<std::string, std::string> slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::unexpected(fmt::format("{}: cannot be read", path.string()));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

bool put(const fs::path& path, const std::string& text) {
  if (auto old = slurp(path); old && *old == text) return true;
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) fmt::print(stderr, "{}: cannot be written\n", path.string());
  return static_cast<bool>(out);
}

std::optional<std::string> load(const fs::path& folder, const std::string& log, std::vector<cg::Message>& into) {
  std::error_code error;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  if (error) return fmt::format("{}: {}", folder.string(), error.message());
  std::ranges::sort(files);
  for (const fs::path& file : files) {
    const auto text = slurp(file);
    if (!text) return text.error();
    auto message = cg::parse_schema(*text, file.string(), log);
    if (!message) return message.error();
    into.push_back(*std::move(message));
  }
  return std::nullopt;
}

// unit_0.cc ... : each includes its share of the sources.
bool put_units(const fs::path& folder, std::size_t units, const std::vector<std::string>& sources) {
  bool good = true;
  for (std::size_t unit = 0; unit < units; ++unit) {
    std::string text = "// Made by codegen. Do not edit.\n";
    for (std::size_t i = unit; i < sources.size(); i += units) text += fmt::format("#include \"{}\"\n", sources[i]);
    good = put(folder / fmt::format("unit_{}.cc", unit), text) && good;
  }
  return good;
}

bool generate(const fs::path& out, const std::vector<cg::Message>& messages, const std::set<std::string>& logs) {
  bool good = true;
  std::vector<std::string> sources;
  std::vector<std::string> tests;
  for (const cg::Message& message : messages) {
    const std::string stem = cg::include_stem(message);
    good = put(out / (stem + ".h"), cg::emit_header(message)) && good;
    good = put(out / (stem + ".cc"), cg::emit_source(message)) && good;
    good = put(out / "tests" / (stem + ".cc"), cg::emit_test_codec(message)) && good;
    sources.push_back(stem + ".cc");
    tests.push_back("tests/" + stem + ".cc");
  }
  for (const std::string& log : logs) {
    const std::string stem = fmt::format("protocol/records/{}_record", log);
    good = put(out / (stem + ".h"), cg::emit_record_header(log, messages)) && good;
    good = put(out / (stem + ".cc"), cg::emit_record_source(log, messages)) && good;
    sources.push_back(stem + ".cc");
  }
  good = put(out / "protocol/messages/api_list.h", cg::emit_api_list(messages)) && good;
  good = put(out / "tests/message_table.cc", cg::emit_test_table(messages)) && good;
  tests.emplace_back("tests/message_table.cc");
  return put_units(out / "units", kUnits, sources) && put_units(out / "tests/units", kTestUnits, tests) && good;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: cohort_codegen SCHEMAS OUT\n");
    return 2;
  }
  const fs::path schemas(argv[1]);
  std::vector<cg::Message> messages;
  std::set<std::string> logs;
  auto problem = load(schemas / "messages", "", messages);
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(schemas / "records", error)) {
    if (entry.is_directory()) logs.insert(entry.path().filename().string());
  }
  for (const std::string& log : logs) {
    if (!problem) problem = load(schemas / "records" / log, log, messages);
  }
  if (!problem) problem = cg::validate_all(messages);
  if (problem) {
    fmt::print(stderr, "{}\n", *problem);
    return 1;
  }
  return generate(argv[2], messages, logs) ? 0 : 1;
}
