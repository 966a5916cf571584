// How names of schemas become names of C++.
#pragma once

#include <string>
#include <string_view>

namespace cohort::codegen {

// "JoinGroupRequest" -> "join_group_request", "V3AndBelowTopics" -> "v3_and_below_topics". CMake computes the same for
// file names (codegen/CMakeLists.txt).
std::string snake_case(std::string_view name);
// As snake_case, with an underscore behind a word that C++ keeps for itself.
std::string member_name(std::string_view name);
// As Kafka's JSON prints field names: "ErrorCode" -> "errorCode".
std::string json_name(std::string_view name);
// "errorCode" -> "ErrorCode"
std::string pascal_case(std::string_view name);

}  // namespace cohort::codegen
