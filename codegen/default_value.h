// The "default" of a field: does it fit the type, and what is it in C++.
#pragma once

#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "codegen/model.h"

namespace cohort::codegen {

// value: the schema's "default", null pointer when there is none. As in Kafka's generator, the string "null" means null
// and a JSON null means that nothing was said: empty, zero or false. `records` are null by themselves where they may
// be.
std::expected<Default, std::string> parse_default(const Type& type, bool nullable, const nlohmann::json* value);

}  // namespace cohort::codegen
