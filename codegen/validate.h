// Rules that hold across the fields of a message; run by the parser when every single field is sound.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "codegen/model.h"

namespace cohort::codegen {

struct Problem {
  std::string field;  // empty: the message itself
  std::string reason;
};

// Also brings message.structs into an order in which each struct comes after those it contains.
std::optional<Problem> validate(Message& message);

// Rules between messages: names and keys are unique, requests have responses, record keys have values.
std::optional<std::string> validate_all(const std::vector<Message>& messages);

}  // namespace cohort::codegen
