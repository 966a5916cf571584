// Preloaded into cohortd by the tests: makes writes and syncs of its files fail as a bad disk would, as long as the
// file that COHORT_FAILING_DISK names holds the name of an error: "write ENOSPC", "write EIO", "sync EIO". Also opening
// a new file fails for writes that do.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// 0: nothing fails. The errno for what ("write" or "sync") otherwise.
int failure_of(const char* what) {
  static auto* const open_file = real<int(const char*, int, ...)>("open");
  const char* const path = std::getenv("COHORT_FAILING_DISK");
  if (path == nullptr) return 0;
  const int fd = open_file(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[64] = {};
  const ssize_t size = ::read(fd, text, sizeof(text) - 1);
  ::close(fd);
  if (size <= 0 || std::strncmp(text, what, std::strlen(what)) != 0) return 0;
  return std::strstr(text, "ENOSPC") != nullptr ? ENOSPC : EIO;
}

bool is_file(int fd) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

bool fails(const char* what, int fd) {
  const int error = is_file(fd) ? failure_of(what) : 0;
  errno = error != 0 ? error : errno;
  return error != 0;
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t position) {
  static auto* const next = real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return fails("write", fd) ? -1 : next(fd, bytes, count, position);
}
ssize_t pwrite(int fd, const void* bytes, size_t count, off_t position) {
  return pwrite64(fd, bytes, count, position);
}
int fdatasync(int fd) {
  static auto* const next = real<int(int)>("fdatasync");
  return fails("sync", fd) ? -1 : next(fd);
}
int fsync(int fd) {
  static auto* const next = real<int(int)>("fsync");
  return fails("sync", fd) ? -1 : next(fd);
}

}  // extern "C"
