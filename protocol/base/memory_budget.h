// Bytes that many holders may have together: of requests that come in, of answers that go out. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace cohort {

class MemoryBudget {
 public:
  // limit: bytes, >= 0.
  explicit MemoryBudget(std::int64_t limit) : limit_(limit) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // False and nothing taken when it is too much.
  bool take(std::size_t bytes) {
    const auto count = static_cast<std::int64_t>(bytes);
    if (used_.fetch_add(count, std::memory_order_relaxed) + count <= limit_) return true;
    used_.fetch_sub(count, std::memory_order_relaxed);
    return false;
  }
  // Counts what is there already, over the limit, too.
  void add(std::size_t bytes) { used_.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed); }
  void give_back(std::size_t bytes) { used_.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed); }

  std::int64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::size_t available() const { return static_cast<std::size_t>(std::max<std::int64_t>(limit_ - used(), 0)); }

 private:
  const std::int64_t limit_;
  std::atomic<std::int64_t> used_{0};
};

}  // namespace cohort
