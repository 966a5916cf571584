// Recovery: opens a log's folder after a clean stop, a kill or a power loss (see LOG_FORMAT.md). Internal to storage.
//
// Owner: Log::open, for the length of the call. Two passes: examine() only reads and refuses damage, so a log that is
// refused is left as it was found; settle() then cuts, removes and writes what examine() decided.
// Why not a repair tool beside it: there is one recovery path, and it runs at every start.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/base/result.h"
#include "server/storage/log.h"

namespace cohort::storage {

class Log::Recovery {
 public:
  explicit Recovery(Log& log) : log_(log) {}
  Result<void> run();

 private:
  struct Found {
    std::int64_t base_offset = 0;
    Chain chain = Chain::kExact;
    std::unique_ptr<File> file;
    std::uint64_t file_bytes = 0;
    SparseIndex index;       // entries only when it was built here or the segment is the last one
    SegmentSummary summary;  // of what stays
    SegmentSummary durable;  // of what is known to be on the disk
    bool write_index = false;
  };

  Result<void> examine();
  Result<void> list_files();
  Result<void> read_checkpoint();
  Result<void> choose_segments();
  Result<void> examine_closed(Found& found, std::int64_t next_base);
  Result<void> examine_last(Found& found);
  Result<void> examine_rest(const Found& found, const std::string& why);
  Result<void> open_file(Found& found);
  // Checks everything from the end of found.index on and adds it. True: sound up to stop_offset or the end of the file.
  // False: what follows is not a batch, and why says what was expected.
  Result<bool> scan(Found& found, std::int64_t stop_offset, std::string& why);
  Result<void> walk_epochs(const Found& found, std::uint64_t covered_bytes);  // log_epochs.cc
  std::unexpected<Error> damaged(const Found& found, std::uint64_t position, std::string_view why) const;
  // The least number of bytes that must be whole in this segment.
  std::uint64_t recovery_position(const Found& found) const;

  Result<void> settle();
  Result<void> cut_tail(Found& found);
  void publish();

  Log& log_;
  Checkpoint checkpoint_;
  std::vector<std::int64_t> bases_;        // of all segment files, ascending
  std::vector<std::int64_t> below_start_;  // to be removed
  std::vector<std::string> leftovers_;     // to be removed
  std::vector<Found> segments_;
};

}  // namespace cohort::storage
