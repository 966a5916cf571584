// cohortd: reads its arguments and hands over to the server.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "server/app/health_check.h"
#include "server/app/log_sink.h"
#include "server/app/server.h"
#include "server/config/config.h"

// Read by jemalloc before main: a thread of its own gives back what was freed, whether or not anybody allocates. A
// flood that is over would otherwise be paid for until the next one. Other allocators take no notice.
extern "C" {
extern const char* malloc_conf;
// NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): its name and type are jemalloc's
const char* malloc_conf = "background_thread:true,max_background_threads:1";
}

namespace {

int complain(const std::string& message) {
  std::fprintf(stderr, "cohortd: %s\n", message.c_str());
  return 1;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (!file.is_open() || !(text << file.rdbuf())) return std::nullopt;
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App arguments("A standalone server for Kafka clients: topics, consumer groups and their offsets.", "cohortd");
  std::string config_path;
  std::vector<std::string> overrides;
  arguments.add_option("--config", config_path, "Configuration file, in the names of Kafka's server.properties");
  arguments.add_option("--override", overrides, "key=value, goes before the file; may be given many times")
      ->take_all()
      ->expected(1);
  bool health_check = false;
  arguments.add_flag("--healthcheck", health_check,
                     "Start nothing; status 0 when the server with this configuration answers");
  arguments.set_version_flag("--version", "cohortd " COHORT_VERSION);
  try {
    arguments.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return arguments.exit(error) == 0 ? 0
                                      : 1;  // --help and --version are no errors; CLI11's own statuses are above 100
  }

  std::optional<cohort::config::FileText> file;
  if (!config_path.empty()) {
    auto text = read_file(config_path);
    if (!text) return complain("the configuration file " + config_path + " cannot be read");
    file = cohort::config::FileText{config_path, *std::move(text)};
  }
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) environment.emplace_back(*variable);
  auto loaded = cohort::config::load(file, overrides, environment);
  if (!loaded) return complain(loaded.error().message);
  if (health_check) {
    auto healthy = cohort::app::check_health(loaded->config.net);
    return healthy ? 0 : complain(healthy.error().message);
  }

  cohort::app::install_log_sink(loaded->config.log);
  auto done = cohort::app::run_until_signal(*loaded);
  return done ? 0 : complain(done.error().message);
}
