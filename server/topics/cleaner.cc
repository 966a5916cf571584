#include "server/topics/cleaner.h"

#include <optional>
#include <utility>

namespace cohort::topics {

Cleaner::Cleaner(const config::CleanerConfig& config)
    : map_bytes_(static_cast<std::size_t>(config.dedupe_buffer_bytes / config.threads)),
      threads_(static_cast<std::size_t>(config.threads)) {}

Cleaner::~Cleaner() {
  stop();
}

bool Cleaner::submit(std::uint64_t log_key, storage::LogThreads::Job round) {
  return threads_.submit(log_key, std::move(round));
}

Result<void> Cleaner::on_writer(Step step, const std::function<void(StepJob)>& hand_over) {
  const auto outcome = std::make_shared<std::optional<Result<void>>>();
  hand_over([shared = shared_, outcome, step = std::move(step)](bool run) mutable {
    Result<void> done = run ? step() : fail(ErrorKind::kNotFound, "The log takes no step of a compaction");
    const std::lock_guard lock(shared->mutex);
    *outcome = std::move(done);
    shared->wake.notify_all();
  });
  std::unique_lock lock(shared_->mutex);
  shared_->wake.wait(lock, [&] { return outcome->has_value() || shared_->stopping; });
  if (!outcome->has_value()) return fail(ErrorKind::kNotFound, "The server is stopping");
  return std::move(**outcome);
}

bool Cleaner::is_stopping() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->stopping;
}

void Cleaner::stop() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stopping = true;
    shared_->wake.notify_all();
  }
  threads_.stop();
}

}  // namespace cohort::topics
