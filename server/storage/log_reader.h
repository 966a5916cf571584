// LogReader: walks a log from an offset up to a limit in bounded slices and checks every checksum. For replay at load:
// a slice is what one job reads and posts to a reactor, which then applies it in its own time.
//
// Owner: whoever loads; keeps the Log alive. Threads: one at a time, any; the log may grow meanwhile.
// Why not a callback per batch: the caller decides when it wants the next slice, so memory stays bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "protocol/base/result.h"
#include "protocol/wire/bytes.h"
#include "server/storage/log.h"

namespace cohort::storage {

class LogReader {
 public:
  static constexpr std::size_t kSliceBytes = std::size_t{1} << 20;

  // Reads [from_offset, limit_offset). from_offset must not be below the log's start.
  LogReader(std::shared_ptr<const Log> log, std::int64_t from_offset, std::int64_t limit_offset,
            std::size_t slice_bytes = kSliceBytes);

  // The next whole batches, about slice_bytes of them (more when one batch alone is larger); empty at the end.
  // kCorrupt names file, position and what was expected; asking again gives the same error.
  Result<protocol::Bytes> next();
  std::int64_t next_offset() const { return next_offset_; }

 private:
  std::shared_ptr<const Log> log_;
  std::int64_t next_offset_;
  std::int64_t limit_offset_;
  std::size_t slice_bytes_;
};

}  // namespace cohort::storage
