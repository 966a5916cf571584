// Emits what tests need of every message: pseudo-random values and a walk over unknown tags (tests/generated).
#pragma once

#include <string>
#include <vector>

#include "codegen/model.h"

namespace cohort::codegen {

std::string emit_test_codec(const Message& message);
// The list of all of them.
std::string emit_test_table(const std::vector<Message>& messages);

}  // namespace cohort::codegen
