// Segment: one .log file of a log, with the sparse index that finds batches in it. Internal to storage.
//
// Owner: Log (shared with readers in flight and with SegmentCache). The last segment of a log keeps its file open and
// is changed by the writer under the log's mutex; the others are immutable, and their file and index are opened on
// demand and kept by SegmentCache. Why not keep all open: a log of 1 TiB has a thousand segments, a server thousands of
// logs, and a process may have 20,000 files open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/base/result.h"
#include "server/storage/fs.h"
#include "server/storage/sparse_index.h"

namespace cohort::storage {

// What it takes to read a segment. Immutable file handle; index of a segment that is not written any more.
struct OpenSegment {
  std::shared_ptr<File> file;
  std::shared_ptr<const SparseIndex> index;
};

struct Segment {
  std::int64_t base_offset = 0;
  std::int64_t end_offset = 0;
  std::uint64_t size = 0;  // bytes of whole batches; the file has no more once recovery is done
  std::int64_t max_timestamp_ms = -1;
  std::shared_ptr<File> file;          // the last segment only
  std::shared_ptr<SparseIndex> index;  // the last segment only
};

std::string segment_file_name(std::int64_t base_offset);  // 20 digits and .log
std::string index_file_name(std::int64_t base_offset);    // 20 digits and .sparseindex

// The most recently read closed segments of all logs, at most `capacity` of them. Thread-safe; no I/O under its mutex.
class SegmentCache {
 public:
  explicit SegmentCache(std::size_t capacity) : capacity_(capacity) {}

  std::shared_ptr<const OpenSegment> find(const Segment* segment);
  void put(const std::shared_ptr<const Segment>& segment, std::shared_ptr<const OpenSegment> open);
  void drop(const Segment* segment);
  std::size_t size() const;

 private:
  struct Slot {
    std::shared_ptr<const Segment> segment;  // keeps the key alive
    std::shared_ptr<const OpenSegment> open;
  };
  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Slot> recent_;  // most recent first
  std::unordered_map<const Segment*, std::list<Slot>::iterator> slots_;
};

}  // namespace cohort::storage
