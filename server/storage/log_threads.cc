#include "server/storage/log_threads.h"

#include <utility>

#include "protocol/base/check.h"

namespace cohort::storage {

LogThreads::LogThreads(std::size_t threads) {
  CHECK(threads >= 1 && threads <= 64, "1 to 64 log threads");
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

LogThreads::~LogThreads() {
  stop();
}

bool LogThreads::submit(std::uint64_t key, Job job) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  const auto [queue, is_idle] = queues_.try_emplace(key);
  queue->second.push_back(std::move(job));
  if (is_idle) {
    ready_.push_back(key);
    wake_.notify_one();
  }
  return true;
}

void LogThreads::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  join();
}

void LogThreads::stop(std::chrono::milliseconds limit) {
  std::vector<Job> dropped;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    emptied_.wait_for(lock, limit, [this] { return queues_.empty(); });
    const auto drop = [&dropped](std::deque<Job>& queue, std::size_t from) {
      for (std::size_t i = from; i < queue.size(); ++i) dropped.push_back(std::move(queue[i]));
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(from), queue.end());
    };
    for (const std::uint64_t key : ready_) {
      drop(queues_.at(key), 0);
      queues_.erase(key);
    }
    ready_.clear();
    for (auto& [key, queue] : queues_) drop(queue, 1);  // the first one runs
    wake_.notify_all();
  }
  dropped.clear();  // what the jobs own is destroyed outside the mutex
  join();
}

void LogThreads::join() {
  for (std::thread& thread : threads_) {
    CHECK(thread.get_id() != std::this_thread::get_id(), "LogThreads::stop() called from a job");
    thread.join();
  }
  threads_.clear();
}

void LogThreads::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    // While a key is worked on it is not in ready_, so an empty ready_ does not mean that all is done: but then the
    // thread that works on it puts it back, or takes it on itself.
    wake_.wait(lock, [this] { return !ready_.empty() || (stopping_ && queues_.empty()); });
    if (ready_.empty()) return;
    const std::uint64_t key = ready_.front();
    ready_.pop_front();
    {
      // A reference to the queue would not survive submits for other keys; the key does.
      Job job = std::move(queues_.at(key).front());
      lock.unlock();
      job();
      job = nullptr;  // what the job owns is destroyed outside the mutex, too
      lock.lock();
    }
    const auto queue = queues_.find(key);
    queue->second.pop_front();
    if (!queue->second.empty()) {
      ready_.push_back(key);  // at the end: keys take turns
      wake_.notify_one();
    } else {
      queues_.erase(queue);
      if (stopping_ && queues_.empty()) {
        wake_.notify_all();
        emptied_.notify_all();
      }
    }
  }
}

}  // namespace cohort::storage
