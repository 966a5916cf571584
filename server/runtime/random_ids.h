// Random ids: member ids, topic ids, the cluster id; made as Kafka makes them (Uuid.randomUuid): version 4, none that
// prints with a leading "-", which tools would take for an option. From the operating system, so that nobody can guess
// the next one. Not thread-safe: one per shard, one for the catalogue.
#pragma once

#include <array>
#include <cstddef>

#include "server/coordinator/core/context.h"

namespace cohort::runtime {

class RandomIds final : public coordinator::IdSource {
 public:
  protocol::Uuid next_uuid() override;

 private:
  // Taken from the system by the page: a group of a thousand members that join costs few system calls.
  std::array<std::byte, 1024> bytes_{};
  std::size_t used_ = bytes_.size();
};

}  // namespace cohort::runtime
