#include "protocol/frame/request_header.h"

#include <fmt/format.h>

#include <utility>

#include "protocol/messages/request_header.h"
#include "protocol/wire/byte_reader.h"

namespace cohort::protocol {

Result<RequestStart> read_request_header(ByteReader& reader) {
  // 1. Key and version say in which version the header itself is.
  ByteReader ahead = reader;
  const std::int16_t key = ahead.int16();
  const std::int16_t version = ahead.int16();
  if (auto done = ahead.status(); !done) return std::unexpected(std::move(done.error()));
  const ApiInfo* api = find_api(key);
  if (api == nullptr) return fail(ErrorKind::kUnsupported, fmt::format("there is no API with key {}", key));
  const bool known = version >= api->min_version && version <= api->max_version;
  if (!known && api->key != ApiKey::kApiVersions) {
    return fail(ErrorKind::kUnsupported, fmt::format("there is no version {} of {}", version, api->name));
  }

  // 2. The whole header.
  RequestHeader header;
  read(reader, header, request_header_version(*api, version));
  if (auto done = reader.status(); !done) return std::unexpected(std::move(done.error()));
  return RequestStart{.api = api,
                      .version = version,
                      .correlation_id = header.correlation_id,
                      .client_id = std::move(header.client_id),
                      .version_known = known};
}

}  // namespace cohort::protocol
