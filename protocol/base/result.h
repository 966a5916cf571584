// Result<T>: what a function returns that reads bytes it cannot trust (network, disk, configuration).
// Protocol answers are ErrorCode values instead; broken invariants of our own are CHECK.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace cohort {

enum class ErrorKind {
  kMalformed,    // bytes that do not follow the format
  kTooLarge,     // a limit was exceeded before anything was allocated
  kUnsupported,  // a version, codec or feature that is not served
  kNotFound,
  kIo,       // the operating system refused or failed
  kCorrupt,  // bytes on disk that were once right and now are not
  kInvalid,  // a value outside what is allowed (configuration, arguments)
};

struct Error {
  ErrorKind kind;
  std::string message;  // one clear sentence without a final full stop
  int os_error = 0;     // errno when kind is kIo, else 0
};

template <typename T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorKind kind, std::string message, int os_error = 0) {
  return std::unexpected(Error{kind, std::move(message), os_error});
}

}  // namespace cohort
