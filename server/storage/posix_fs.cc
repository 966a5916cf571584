#include "server/storage/posix_fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace cohort::storage {
namespace {

std::unexpected<Error> os_failure(std::string_view what, const std::string& path, int os_error) {
  const ErrorKind kind = os_error == ENOENT ? ErrorKind::kNotFound : ErrorKind::kIo;
  return fail(kind, fmt::format("Cannot {} {}: {}", what, path, std::generic_category().message(os_error)), os_error);
}

// Repeats a call that a signal interrupted.
template <typename Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);  // never repeated: on Linux the descriptor is gone even after EINTR
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixFile final : public File {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const auto count = retry([&] {
        return ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(position + done));
      });
      if (count < 0) return os_failure("read", path_, errno);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  int descriptor() const override { return fd_.get(); }

  Result<void> write_at(std::uint64_t position, std::span<const std::byte> bytes) override {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto count = retry([&] {
        return ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(position + done));
      });
      if (count < 0) return os_failure("write", path_, errno);
      if (count == 0) return os_failure("write", path_, EIO);  // no progress and no reason: never loop on it
      done += static_cast<std::size_t>(count);
    }
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) < 0) return os_failure("stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  Result<void> truncate(std::uint64_t size) override {
    return check(retry([&] { return ::ftruncate(fd_.get(), static_cast<off_t>(size)); }), "truncate");
  }
  // Repeating fdatasync after EINTR is fine: the kernel gives EINTR only before it has reported an error of the disk.
  Result<void> sync_data() override {
    return check(retry([&] { return ::fdatasync(fd_.get()); }), "sync");
  }
  Result<void> sync() override {
    return check(retry([&] { return ::fsync(fd_.get()); }), "sync");
  }

 private:
  Result<void> check(int result, std::string_view what) const {
    if (result < 0) return os_failure(what, path_, errno);
    return {};
  }

  Descriptor fd_;
  std::string path_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;  // closing it gives the lock back
};

Result<Descriptor> open_descriptor(const std::string& path, int flags, std::string_view what) {
  const int fd = retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); });
  if (fd < 0) return os_failure(what, path, errno);
  return Descriptor(fd);
}

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kCreate:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  std::unreachable();
}

bool is_directory(int dir_fd, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat status{};
  return ::fstatat(dir_fd, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<std::unique_ptr<File>> PosixFs::open(const std::string& path, OpenMode mode) {
  auto fd = open_descriptor(path, flags_of(mode), mode == OpenMode::kCreate ? "create" : "open");
  if (!fd) return std::unexpected(std::move(fd.error()));
  return std::make_unique<PosixFile>(std::move(*fd), path);
}

Result<std::vector<DirEntry>> PosixFs::list(const std::string& dir) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(dir.c_str()), ::closedir);
  if (stream == nullptr) return os_failure("list", dir, errno);
  std::vector<DirEntry> entries;
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    entries.push_back({std::string(name), is_directory(::dirfd(stream.get()), *entry)});
  }
  if (errno != 0) return os_failure("list", dir, errno);
  std::ranges::sort(entries, {}, &DirEntry::name);
  return entries;
}

Result<void> PosixFs::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) < 0) return os_failure("rename", from, errno);
  return {};
}

Result<void> PosixFs::remove(const std::string& path) {
  if (::unlink(path.c_str()) < 0) return os_failure("remove", path, errno);
  return {};
}

Result<void> PosixFs::make_dir(const std::string& dir) {
  if (::mkdir(dir.c_str(), 0755) < 0) return os_failure("make folder", dir, errno);
  return {};
}

Result<void> PosixFs::remove_dir(const std::string& dir) {
  if (::rmdir(dir.c_str()) < 0) return os_failure("remove folder", dir, errno);
  return {};
}

Result<void> PosixFs::sync_dir(const std::string& dir) {
  const auto fd = open_descriptor(dir, O_RDONLY | O_DIRECTORY, "open folder");
  if (!fd) return std::unexpected(fd.error());
  if (retry([&] { return ::fsync(fd->get()); }) < 0) return os_failure("sync folder", dir, errno);
  return {};
}

Result<std::unique_ptr<FileLock>> PosixFs::lock_file(const std::string& path) {
  auto fd = open_descriptor(path, O_RDWR | O_CREAT, "create");
  if (!fd) return std::unexpected(std::move(fd.error()));
  if (retry([&] { return ::flock(fd->get(), LOCK_EX | LOCK_NB); }) < 0) return os_failure("lock", path, errno);
  return std::make_unique<PosixLock>(std::move(*fd));
}

Result<Space> PosixFs::space(const std::string& dir) {
  struct statvfs status{};
  if (retry([&] { return ::statvfs(dir.c_str(), &status); }) < 0) return os_failure("look at", dir, errno);
  const auto bytes = [&](auto blocks) { return static_cast<std::uint64_t>(blocks) * status.f_frsize; };
  return Space{.total_bytes = bytes(status.f_blocks), .free_bytes = bytes(status.f_bavail)};
}

}  // namespace cohort::storage
