// Whole response frames, written straight into a connection's output buffer: size, header, body. No copy in between.
#pragma once

#include <cstddef>
#include <cstdint>

#include "protocol/base/result.h"
#include "protocol/messages/api_list.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::protocol {

// Leaves room for the size and writes the header. Returns where the frame begins, for end_response().
// A response header is version 1 exactly when the response's version is flexible, else 0; of ApiVersions always 0.
std::size_t begin_response(ByteWriter& writer, const ApiInfo& api, std::int16_t version, std::int32_t correlation_id);

// Fills in the size. After an error (the body cannot be written in this version, the frame is above 2 GiB) the buffer
// is as long as before begin_response(): half a frame never leaves.
Result<void> end_response(ByteWriter& writer, std::size_t begin);

// Response: a generated message with a kApiKey.
// Buffer: a ByteBuffer, or a ResponseBuffer, to which large records are attached.
template <typename Response, typename Buffer>
Result<void> write_response_frame(Buffer& buffer, std::int32_t correlation_id, const Response& response,
                                  std::int16_t version) {
  static constexpr const ApiInfo* kApi = find_api(Response::kApiKey);
  ByteWriter writer(buffer);
  const std::size_t begin = begin_response(writer, *kApi, version, correlation_id);
  write(writer, response, version);
  return end_response(writer, begin);
}

// The answer to an ApiVersions request of a version that is not known: always header and body of version 0, which every
// client can read, with UNSUPPORTED_VERSION and the range of ApiVersions alone (KIP-511).
void write_unsupported_api_versions(ResponseBuffer& buffer, std::int32_t correlation_id);

}  // namespace cohort::protocol
