// Byte vectors made by Kafka's own serializers: where golden tests get them from (see vectors/README.md).
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cohort::golden {

// Calls `visit` with every line of a kind: "messages", "records", "frames" or "batches". Takes them from the folder
// that the environment variable COHORT_VECTORS names, else from the compressed ones beside the tests. Fails the test
// when there are none, or when a line is no JSON. 64-bit integers are exact.
void for_each_vector(const std::string& kind, const std::function<void(const nlohmann::json&)>& visit);

// Fails the test on anything but an even number of hexadecimal digits.
std::vector<std::byte> from_hex(std::string_view hex);
std::string to_hex(std::span<const std::byte> bytes);

}  // namespace cohort::golden
