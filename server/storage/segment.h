// Segment: one .log file of a log, with the sparse index that finds batches in it. Internal to storage.
//
// Owner: Log, shared with readers in flight and with SegmentCache. The last segment of a log keeps its file open and is
// changed by the writer under the log's mutex. The others never change, and their file and index are opened on demand
// and kept by SegmentCache. Why not keep all open: a log of 1 TiB has a thousand segments, a server has thousands of
// logs, and a process may have some 20,000 files open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/base/result.h"
#include "server/storage/batch_scanner.h"
#include "server/storage/fs.h"
#include "server/storage/sparse_index.h"

namespace cohort::storage {

// What it takes to read a segment that is not written any more. Immutable.
struct OpenSegment {
  std::shared_ptr<const File> file;
  std::shared_ptr<const SparseIndex> index;
};

struct Segment {
  SegmentSummary summary;  // covered_bytes: of whole batches; the file holds nothing else that counts
  Chain chain = Chain::kExact;
  // The last segment only; and one that compaction has made, until its file has its name.
  std::shared_ptr<File> file;
  std::shared_ptr<SparseIndex> index;  // its summary is the segment's
};

// No batch of a log is larger: append() refuses it, and a length above it in a file is damage.
inline constexpr std::size_t kMaxBatchBytes = std::size_t{128} << 20;
// What the records of a batch come to when it is looked into. Produce takes batches that come to far less
// (TopicStoreOptions); those of a log that Kafka wrote may be larger.
inline constexpr std::size_t kMaxDecompressedBytes = std::size_t{256} << 20;

inline constexpr std::string_view kSegmentSuffix = ".log";
inline constexpr std::string_view kIndexSuffix = ".sparseindex";
inline constexpr std::string_view kPartitionMetadataName = "partition.metadata";  // LogSet's, in the same folder
inline constexpr std::string_view kProducersSuffix = ".producers";    // topics' snapshots of producer state, likewise
inline constexpr std::size_t kMaxIndexBytes = std::size_t{16} << 20;  // a segment of 2 GiB needs 2.6 MB

std::string segment_path(std::string_view dir, std::int64_t base_offset);  // 20 digits and .log, as Kafka
std::string index_path(std::string_view dir, std::int64_t base_offset);
// The base offset in a file name of exactly 20 digits and this suffix.
std::optional<std::int64_t> parse_file_name(std::string_view name, std::string_view suffix);

// The index of the whole segment, from its file or, failing that, from the batches (their headers only).
Result<std::shared_ptr<const OpenSegment>> open_segment(Fs& fs, std::string_view dir, const SegmentSummary& summary,
                                                        Chain chain);
// Writes the index file; durable, but for its name.
Result<void> write_index(Fs& fs, std::string_view dir, const SparseIndex& index);

// Removes a file that nobody needs; a failure is logged and left to the next start, a missing file is fine.
void remove_leftover(Fs& fs, const std::string& path);
void remove_segment_files(Fs& fs, std::string_view dir, std::int64_t base_offset);

// The most recently read closed segments of all logs, at most `capacity` of them. Threads: any; no I/O under its mutex.
class SegmentCache {
 public:
  explicit SegmentCache(std::size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<const OpenSegment> find(const Segment* segment);
  void put(std::shared_ptr<const Segment> segment, std::shared_ptr<const OpenSegment> open);
  void drop(const Segment* segment);
  std::size_t size() const;

 private:
  struct Slot {
    std::shared_ptr<const Segment> segment;  // keeps the key from being used again
    std::shared_ptr<const OpenSegment> open;
  };
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Slot> recent_;  // most recent first
  std::unordered_map<const Segment*, std::list<Slot>::iterator> slots_;
};

}  // namespace cohort::storage
