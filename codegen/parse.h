// Reads one schema file and checks it. Strict on purpose: a key that is not known, a default that does not fit or a
// version range that cannot be is a mistake that would otherwise surface as wrong bytes on the wire.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "codegen/model.h"

namespace cohort::codegen {

// text: the schema's JSON. file: its name, for errors and to be compared with the message's name. log: the record log
// that it belongs to, empty for messages. The error is one line: file, field, reason.
std::expected<Message, std::string> parse_schema(std::string_view text, const std::string& file,
                                                 const std::string& log);

}  // namespace cohort::codegen
