// The APIs that are served, one row each: versions, what may overlap, who handles it. ApiVersions is made from it, so
// what is not here is neither announced nor answered. Constant data; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/base/result.h"
#include "server/api/call.h"

namespace cohort::api {

using Handler = void (*)(Call call, std::span<const std::byte> body);
// May this request be worked on together with other such ones of its connection? Any other is a barrier on both sides.
// Where it depends on what is asked, looks at the body as far as it must; one that cannot be read is a barrier.
using Overlaps = bool (*)(std::int16_t version, std::span<const std::byte> body);

struct ApiRow {
  std::int16_t key = 0;
  std::string_view name;
  std::int16_t min_version = 0;  // served
  std::int16_t max_version = 0;
  // What ApiVersions says; below min_version for Produce only: old librdkafka looks for version 0 (KAFKA-18659).
  std::int16_t announced_min = 0;
  Overlaps overlaps = nullptr;
  Handler handle = nullptr;
};

// Sorted by key.
std::span<const ApiRow> api_table();
// Null when the API is not served.
const ApiRow* find_api(std::int16_t key);

// A frame with its header read. Everything borrows from the frame.
struct ParsedRequest {
  const ApiRow* row = nullptr;
  Call::Head head;
  std::span<const std::byte> body;
  bool overlaps = false;
  Handler handle = nullptr;
};

// Reads the header and finds the row. An error means that the connection must be closed, as in Kafka: an unknown API, a
// version that is not served, a header that cannot be read. ApiVersions is the exception: of an unknown version it is
// answered too, see api_versions.cc.
Result<ParsedRequest> parse_request(std::span<const std::byte> frame);

}  // namespace cohort::api
