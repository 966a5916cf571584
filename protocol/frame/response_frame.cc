#include "protocol/frame/response_frame.h"

#include <limits>

#include "protocol/base/check.h"
#include "protocol/messages/api_versions_response.h"
#include "protocol/messages/response_header.h"
#include "protocol/types/error_code.h"

namespace cohort::protocol {

std::size_t begin_response(ByteWriter& writer, const ApiInfo& api, std::int16_t version, std::int32_t correlation_id) {
  const std::size_t begin = writer.position();
  writer.int32(0);
  write(writer, ResponseHeader{.correlation_id = correlation_id}, response_header_version(api, version));
  return begin;
}

Result<void> end_response(ByteWriter& writer, std::size_t begin) {
  const std::size_t size = writer.position() - begin - sizeof(std::int32_t) + writer.attached_bytes();
  if (size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) writer.fail("a frame is above 2 GiB");
  if (!writer.ok()) {
    writer.take_back(begin);
    return writer.status();
  }
  writer.patch_int32(begin, static_cast<std::int32_t>(size));
  return {};
}

void write_unsupported_api_versions(ResponseBuffer& buffer, std::int32_t correlation_id) {
  static constexpr const ApiInfo* kApi = find_api(ApiVersionsResponse::kApiKey);
  ApiVersionsResponse response;
  response.error_code = to_wire(ErrorCode::kUnsupportedVersion);
  response.api_keys.push_back(
      {.api_key = ApiVersionsResponse::kApiKey, .min_version = kApi->min_version, .max_version = kApi->max_version});
  const auto written = write_response_frame(buffer, correlation_id, response, 0);
  CHECK(written.has_value(), "a fixed ApiVersions response can always be written");
}

}  // namespace cohort::protocol
