// BatchScanner: walks the batches of a segment file from a position on, in bounded memory. Internal to storage.
//
// Owner: a function that scans; the file must outlive it. Threads: one. Why not mmap: a disk that fails under a mapping
// kills the process, here it is a Result; and a page cache of a scanned gigabyte would count as our memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/batch/record_batch.h"
#include "server/storage/fs.h"

namespace cohort::storage {

enum class Check {
  kHeaders,    // lengths and magic; bodies are skipped
  kChecksums,  // everything
};

// How the offsets of a segment's batches follow each other.
enum class Chain {
  kExact,   // each batch begins where the one before it ends
  kRising,  // or later: compaction took away what was between them
};

class BatchScanner {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

  // Scans [position, end) of the file; the batch at position must begin with offset (kRising: at or above it), and so
  // on.
  BatchScanner(const File& file, std::uint64_t position, std::uint64_t end, std::int64_t offset, Chain chain,
               Check check, std::size_t buffer_bytes = kBufferBytes);

  // The header of the next batch, valid until the next call; nullopt at the end. kIo: the file could not be read.
  // Any other error: what is at position() is not a sound, whole batch; the message says what was expected.
  Result<std::optional<protocol::BatchHeader>> next();
  // All of the batch that next() has returned, valid as long as that. With kChecksums only.
  std::span<const std::byte> bytes() const {
    return std::span(buffer_).subspan(static_cast<std::size_t>(position_ - last_size_ - buffer_position_), last_size_);
  }
  // Where the batch that next() returns or refuses next begins, and the base offset that follows the last one.
  std::uint64_t position() const { return position_; }
  std::int64_t offset() const { return offset_; }

 private:
  // Makes at least `count` bytes from position_ on available, if the file has them.
  Result<std::span<const std::byte>> available(std::size_t count);

  const File& file_;
  std::uint64_t position_;
  const std::uint64_t end_;
  std::int64_t offset_;
  std::size_t last_size_ = 0;  // of the batch that next() has returned
  const Chain chain_;
  const Check check_;
  std::vector<std::byte> buffer_;
  std::uint64_t buffer_position_ = 0;  // in the file
  std::size_t buffer_size_ = 0;        // bytes of buffer_ that were read
};

// Does a batch with this base offset continue a chain that has come to `offset`?
inline bool continues(Chain chain, std::int64_t offset, std::int64_t base_offset) {
  return chain == Chain::kExact ? base_offset == offset : base_offset >= offset;
}

// For what is left where a scan ended: bytes begin with something that is not the batch of `offset`. Where batches with
// later offsets begin that run, sound and without a gap, to the end of the bytes. To the end, because clients choose
// the bytes of records: a batch that lies in a record is followed by the rest of that record.
std::optional<std::size_t> find_batches_behind(std::span<const std::byte> bytes, std::int64_t offset);

}  // namespace cohort::storage
