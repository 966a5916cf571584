// MemFs: a file system in memory that models what a power loss leaves behind, for tests and the simulation.
//
// What was written and not synced is in the "page cache": reads see it, crash() decides about it. Per 512-byte block,
// per file size and per folder entry the generator picks which of the unsynced changes reached the disk, in any
// combination: later ones without earlier ones, a size without its bytes (zeros), a rename without the create.
// Stricter than ext4 on purpose: syncing a file does not save its name, only sync_dir does.
//
// Owner: the test; one per simulated machine. Threads: any (one mutex). Same calls and same seed, same outcome.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "server/storage/fs.h"

namespace cohort::storage {

class MemFs final : public Fs {
 public:
  static constexpr std::size_t kBlockBytes = 512;

  MemFs();
  ~MemFs() override;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<DirEntry>> list(const std::string& dir) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> make_dir(const std::string& dir) override;
  Result<void> remove_dir(const std::string& dir) override;
  Result<void> sync_dir(const std::string& dir) override;
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override;
  Result<Space> space(const std::string& dir) override;

  // --- the machine ---
  // Power loss: unsynced changes are kept or lost by `random`; open files and locks are dead (EBADF from then on).
  void crash(std::mt19937_64& random);
  // The process dies: open files and locks are dead, everything written stays.
  void kill();
  // After this many more operations that change the disk, all calls fail with EIO until crash() or kill(): the way to
  // stop a program at every I/O point.
  void stop_after(std::uint64_t operations);
  bool stopped() const;
  std::uint64_t operations() const;  // that change the disk, since the start

  // --- faults; each stays until it struck or was cleared ---
  enum class Op { kWrite, kSync, kOpen, kRename, kAfterRename, kRemove, kTruncate, kSyncDir, kSpace };
  // The nth such operation from now on (1: the next) fails with os_error; `repeat`: all later ones too.
  // A failing write has first written a part of its bytes; kAfterRename fails when the rename is done. After a failed
  // sync the unsynced bytes are lost for the disk, though reads see them until the next crash, and a later sync has
  // nothing to do.
  void fail(Op op, std::uint64_t nth, int os_error, bool repeat = false);
  // Only this many more bytes may be added to files: then ENOSPC, after a part was written.
  void set_free_bytes(std::optional<std::uint64_t> bytes);
  void clear_faults();

  // --- for tests: bytes as a program would read them now ---
  std::string contents(const std::string& path) const;
  // Changes the file behind the program's back, on the disk and in the cache (damage).
  void overwrite(const std::string& path, std::string_view bytes);

 private:
  struct Inode;
  struct State;
  class MemFile;
  class MemLock;
  std::unique_ptr<State> state_;
};

}  // namespace cohort::storage
