// From text to ServerConfig: defaults < file < environment < overrides. Pure: whoever calls has read the file and the
// environment.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "server/config/key.h"
#include "server/config/server_config.h"

namespace cohort::config {

enum class Source : std::uint8_t { kDefault, kFile, kEnvironment, kOverride };

// One key with the value in force, for DescribeConfigs(BROKER) and the log. value is null where Kafka's is.
struct Setting {
  const Key* key = nullptr;
  std::optional<std::string> value;
  Source source = Source::kDefault;
};

struct Loaded {
  ServerConfig config;
  std::vector<Setting> settings;      // one per row of the key table, in its order
  std::vector<std::string> warnings;  // unknown keys, each a sentence
  std::vector<std::string> ignored;   // keys of Kafka without meaning here
};

struct FileText {
  std::string name;  // for messages
  std::string text;
};

// environment: "NAME=value" each, as in environ (environment.h says what counts). overrides: "key=value" each, as given
// with --override. The error is one sentence with the place (file and line, the variable, or the override), the key,
// the value and what is allowed.
Result<Loaded> load(const std::optional<FileText>& file, const std::vector<std::string>& overrides,
                    const std::vector<std::string>& environment = {});

}  // namespace cohort::config
