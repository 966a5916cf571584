#include "protocol/types/record_codec.h"

#include <fmt/format.h>

namespace cohort::protocol {

std::unexpected<Error> unknown_record_type(std::int16_t type) {
  return fail(ErrorKind::kUnsupported, fmt::format("unknown record type {}", type));
}

std::unexpected<Error> record_error(std::string_view message_name, Error error) {
  error.message = fmt::format("{}: {}", message_name, error.message);
  return std::unexpected(std::move(error));
}

}  // namespace cohort::protocol
