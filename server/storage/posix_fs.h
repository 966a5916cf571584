// PosixFs: the Fs seam on the operating system. Stateless; all files are opened with O_CLOEXEC, interrupted calls are
// repeated, short reads and writes go on where they stopped. sync_data() is fdatasync, locks are flock (they vanish
// with the process). Threads: any. Blocking on purpose: LogThreads are the place to wait.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/storage/fs.h"

namespace cohort::storage {

class PosixFs final : public Fs {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::vector<DirEntry>> list(const std::string& dir) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> make_dir(const std::string& dir) override;
  Result<void> remove_dir(const std::string& dir) override;
  Result<void> sync_dir(const std::string& dir) override;
  Result<std::unique_ptr<FileLock>> lock_file(const std::string& path) override;
  Result<Space> space(const std::string& dir) override;
};

}  // namespace cohort::storage
