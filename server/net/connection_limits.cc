#include "server/net/connection_limits.h"

#include <algorithm>

namespace cohort::net {

ConnectionLimits::ConnectionLimits(std::size_t reactors, std::int32_t max_all, std::int32_t max_per_host)
    : max_all_(max_all), max_per_host_(max_per_host), by_reactor_(reactors, 0) {}

std::size_t ConnectionLimits::least_loaded() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::min_element(by_reactor_) - by_reactor_.begin());
}

const char* ConnectionLimits::add(const std::string& host, std::size_t reactor) {
  const std::lock_guard lock(mutex_);
  if (all_ >= max_all_) return "max.connections";
  const auto found = by_host_.find(host);
  if ((found == by_host_.end() ? 0 : found->second) >= max_per_host_) return "max.connections.per.ip";
  ++all_;
  ++by_host_[host];
  ++by_reactor_[reactor];
  return nullptr;
}

void ConnectionLimits::remove(const std::string& host, std::size_t reactor) {
  const std::lock_guard lock(mutex_);
  --all_;
  --by_reactor_[reactor];
  const auto found = by_host_.find(host);
  if (found != by_host_.end() && --found->second == 0) by_host_.erase(found);
}

}  // namespace cohort::net
