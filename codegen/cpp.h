// What a field is in C++: its type, its default, and conditions on the version.
#pragma once

#include <string>

#include "codegen/model.h"

namespace cohort::codegen {

// Type of one element (of the field itself when it is no array). scope: put before struct names, "JoinGroupRequest::"
// or "".
std::string element_type(const Type& type, const std::string& scope);
// Type of the member: element, vector or optional.
std::string member_type(const Field& field, const std::string& scope);
// Value of the member when nobody set it; an expression that can be assigned.
std::string default_expression(const Field& field, const std::string& scope);
// True when member `expression` holds its default.
std::string is_default(const Field& field, const std::string& expression, const std::string& scope);

// Condition that `version` is in `range`, given that it is in `context`: "true", "false" or a comparison.
std::string version_condition(VersionRange range, VersionRange context);

// Type::array of a fixed size in bytes on the wire, so that whole arrays can be read at once.
bool is_fixed_integer(Kind kind);

}  // namespace cohort::codegen
