// The file system seam: everything that storage asks of the operating system, and nothing else.
//
// Owner: `app` makes one PosixFs, a test makes a MemFs; both outlive every File and lock taken from them.
// Threads: any. A File may be read by many threads while one thread writes, syncs or truncates it.
// Why not std::fstream or std::filesystem: neither can sync a file or a folder, and a power loss cannot be simulated
// below them. Why positions instead of O_APPEND: after a write that failed half-way the next one must overwrite it.
//
// Errors are ErrorKind::kIo with errno in os_error (ENOSPC when the disk is full), or kNotFound when the path does not
// exist; the message names the operation and the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"

namespace cohort::storage {

// An open file. Closing (the destructor) syncs nothing.
class File {
 public:
  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  virtual ~File() = default;

  // Fills out from position on; fewer bytes than asked for only at the end of the file.
  virtual Result<std::size_t> read_at(std::uint64_t position, std::span<std::byte> out) const = 0;
  // For sendfile; -1: there is none, read it. Good as long as this File lives.
  virtual int descriptor() const { return -1; }
  // Writes all of it or fails; after a failure any part of it may be in the file. Writing beyond the end makes a hole.
  virtual Result<void> write_at(std::uint64_t position, std::span<const std::byte> bytes) = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<void> truncate(std::uint64_t size) = 0;
  // On success the contents and the size survive a power loss; that the file's name does needs Fs::sync_dir. After a
  // failure the unsynced bytes count as lost, whatever reads or a later sync say (they look at the page cache).
  virtual Result<void> sync_data() = 0;
  virtual Result<void> sync() = 0;  // with all metadata (times, permissions)
};

// An exclusive lock on a data folder, held by this process until it is destroyed.
class FileLock {
 public:
  FileLock() = default;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  virtual ~FileLock() = default;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // for reading and writing; emptied if it exists
};

struct DirEntry {
  std::string name;
  bool is_dir = false;

  friend bool operator==(const DirEntry&, const DirEntry&) = default;
};

// Of the volume that holds a folder.
struct Space {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;  // that this process may use

  friend bool operator==(const Space&, const Space&) = default;
};

class Fs {
 public:
  Fs() = default;
  Fs(const Fs&) = delete;
  Fs& operator=(const Fs&) = delete;
  virtual ~Fs() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  virtual Result<std::vector<DirEntry>> list(const std::string& dir) = 0;  // sorted by name, without . and ..
  virtual Result<void> rename(const std::string& from,
                              const std::string& to) = 0;       // replaces a file at `to`, atomically
  virtual Result<void> remove(const std::string& path) = 0;     // a file
  virtual Result<void> make_dir(const std::string& dir) = 0;    // kIo with EEXIST when it is already there
  virtual Result<void> remove_dir(const std::string& dir) = 0;  // must be empty
  // Creates, renames and removes in this folder made so far survive a power loss. Without it any subset of them may.
  virtual Result<void> sync_dir(const std::string& dir) = 0;
  // Fails at once with os_error EWOULDBLOCK when the lock is held, by another process or by this one.
  virtual Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) = 0;
  virtual Result<Space> space(const std::string& dir) = 0;
};

// Files with this ending are half-made: whoever finds one after a restart may remove it.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

// There is no room: what was to be written is not there, what was there still is.
bool is_disk_full(const Error& error);

// Whole small files. `limit` bounds the allocation; a larger file is kTooLarge.
Result<std::string> read_whole_file(Fs& fs, const std::string& path, std::size_t limit);
// Durable and atomic: after a power loss `dir`/`name` holds the old or the new text, and the new one once this
// returned. Temporary file, sync, rename, sync of the folder. On a full disk the text is written into one of
// `expendable`, files of the same folder that nobody needs: what frees room must not need any. Those that were tried
// are gone.
Result<void> replace_file(Fs& fs, const std::string& dir, std::string_view name, std::string_view text,
                          const std::vector<std::string>& expendable = {});

}  // namespace cohort::storage
