// CHECK: an invariant of our own code. It stays on in release, logs where it failed and aborts; replay of the log is
// the recovery. Never used on bytes from the network or disk: those are Result<T>.
#pragma once

#include <string_view>

namespace cohort {

[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view message);

}  // namespace cohort

// The spelling for headers: a test that includes them also includes Catch2, which has a CHECK of its own.
#define COHORT_CHECK(condition, ...)                                                           \
  do {                                                                                         \
    if (!(condition)) [[unlikely]]                                                             \
      ::cohort::check_failed(__FILE__, __LINE__, #condition, ::std::string_view{__VA_ARGS__}); \
  } while (false)

#ifndef CHECK
#define CHECK(...) COHORT_CHECK(__VA_ARGS__)
#endif
