// Preloaded into cohortd by the tests: makes writes and syncs of its files fail or wait as those of a bad disk, as long
// as the file that COHORT_FAILING_DISK names says so: "write ENOSPC", "write EIO", "sync EIO", each with a percentage
// of the calls behind it if not all shall fail; "write stall 50", "sync stall 300": up to so many milliseconds.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace {

template <typename Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

struct Order {
  char operation[16] = {};
  char fate[16] = {};
  int number = -1;
};

Order order() {
  static auto* const open_file = real<int(const char*, int, ...)>("open");
  Order order;
  const char* const path = std::getenv("COHORT_FAILING_DISK");
  if (path == nullptr) return order;
  const int fd = open_file(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return order;
  char text[64] = {};
  if (::read(fd, text, sizeof(text) - 1) > 0)
    std::sscanf(text, "%15s %15s %d", order.operation, order.fate, &order.number);
  ::close(fd);
  return order;
}

// 0: it goes on, perhaps after a while. The errno for what ("write" or "sync") otherwise.
int failure_of(const char* what) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const Order found = order();
  if (std::strcmp(found.operation, what) != 0) return 0;
  if (std::strcmp(found.fate, "stall") == 0) {
    ::usleep(static_cast<useconds_t>(random() % 1000 * static_cast<unsigned>(found.number)));
    return 0;
  }
  if (found.number >= 0 && static_cast<int>(random() % 100) >= found.number) return 0;
  return std::strcmp(found.fate, "ENOSPC") == 0 ? ENOSPC : EIO;
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
