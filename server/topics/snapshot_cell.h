// Where the newest CatalogueSnapshot is kept for all threads. A reader keeps a copy of its own and looks only whether
// the version moved: one load of a cache line that hardly ever changes, no lock and no shared reference count.
// Owned by the TopicStore. publish() from one thread at a time, get() from any.
//
// Why not std::atomic<std::shared_ptr>: each load would change a count that all cores share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "server/topics/catalogue_snapshot.h"

namespace cohort::topics {

class SnapshotCell {
 public:
  using Pointer = std::shared_ptr<const CatalogueSnapshot>;

  // What one reader had last; each thread has its own.
  struct Reader {
    Pointer snapshot;
    std::int64_t version = -1;
  };

  void publish(Pointer snapshot) {
    const std::int64_t version = snapshot->version();
    const std::lock_guard lock(mutex_);
    snapshot_ = std::move(snapshot);
    version_.store(version, std::memory_order_release);
  }

  const Pointer& get(Reader& reader) const {
    if (reader.version != version_.load(std::memory_order_acquire)) {
      const std::lock_guard lock(mutex_);
      reader.snapshot = snapshot_;
      reader.version = snapshot_->version();
    }
    return reader.snapshot;
  }

 private:
  mutable std::mutex mutex_;
  Pointer snapshot_ = std::make_shared<const CatalogueSnapshot>();
  std::atomic<std::int64_t> version_{0};
};

}  // namespace cohort::topics
