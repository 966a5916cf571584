// What log_read.cc and log_timestamps.cc share. Internal to storage.
#pragma once

#include <mutex>

#include "server/storage/log.h"

namespace cohort::storage {

template <typename Fn>
auto Log::with_index(const View& view, Fn fn) const {
  if (!view.is_live) return fn(*view.index);
  const std::lock_guard lock(mutex_);
  return fn(*view.index);
}

}  // namespace cohort::storage
