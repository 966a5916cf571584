// Random ids from the operating system: member ids, topic ids, the cluster id. Not thread-safe: one per shard.
#pragma once

#include <array>
#include <cstddef>

#include "server/coordinator/core/context.h"

namespace cohort::app {

class RandomIds final : public coordinator::IdSource {
 public:
  // A random (version 4) UUID whose text does not begin with '-', as Kafka's Uuid.randomUuid: people pass ids to tools.
  protocol::Uuid next_uuid() override;

 private:
  // Taken from the system by the page: a group of a thousand members that join costs few system calls.
  std::array<std::byte, 1024> bytes_{};
  std::size_t used_ = bytes_.size();
};

}  // namespace cohort::app
