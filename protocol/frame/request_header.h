// The header of a request: what comes first in every frame from a client. Read by the connection before anything else
// is known; borrows from the frame. Frames themselves (size, then that many bytes) are cut by the connection.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/base/result.h"
#include "protocol/messages/api_list.h"
#include "protocol/wire/text.h"

namespace cohort::protocol {

class ByteReader;

struct RequestStart {
  const ApiInfo* api = nullptr;  // never null after reading; a row of kApis
  std::int16_t version = 0;      // as the client says; see version_known
  std::int32_t correlation_id = 0;
  std::optional<Text> client_id;
  // False only for ApiVersions: the client is newer than we are. The body must not be read; the answer is
  // write_unsupported_api_versions() (KIP-511).
  bool version_known = true;
};

// Leaves the reader at the body. A request header is version 2 exactly when the request's version is flexible, else 1;
// its client id keeps the 16-bit length in both. The header's tagged fields are read and forgotten. kUnsupported: no
// such API, or not in this version (Kafka closes the connection); kMalformed: not a header.
Result<RequestStart> read_request_header(ByteReader& reader);

}  // namespace cohort::protocol
