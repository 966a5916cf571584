// What API handlers work with. Made by `app` before the first connection, outlives the last one; used by all reactors.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "protocol/base/memory_budget.h"
#include "server/config/config.h"
#include "server/runtime/router.h"
#include "server/topics/topic_store.h"

namespace cohort::api {

// What clients are told to connect to.
struct Endpoint {
  std::string host;
  std::int32_t port = 0;
};

struct Services {
  const config::Loaded& config;
  topics::TopicStore& topics;
  const runtime::GroupRouter& groups;
  std::vector<Endpoint> advertised;  // by listener
  // For answers on their way to clients, counted by the connections.
  std::shared_ptr<MemoryBudget> reply_memory;

  const config::ServerConfig& values() const { return config.config; }
};

}  // namespace cohort::api
