// How many connections there are, in all, by address and by reactor. Any thread; a lock is fine, connections come and
// go rarely.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace cohort::net {

class ConnectionLimits {
 public:
  // max_all: max.connections; max_per_host: max.connections.per.ip.
  ConnectionLimits(std::size_t reactors, std::int32_t max_all, std::int32_t max_per_host);

  std::size_t least_loaded() const;
  // Null when the connection is counted, else the name of the limit that it would exceed.
  const char* add(const std::string& host, std::size_t reactor);
  void remove(const std::string& host, std::size_t reactor);

 private:
  const std::int64_t max_all_;
  const std::int64_t max_per_host_;
  mutable std::mutex mutex_;
  std::int64_t all_ = 0;
  std::unordered_map<std::string, std::int64_t> by_host_;
  std::vector<std::int64_t> by_reactor_;
};

}  // namespace cohort::net
