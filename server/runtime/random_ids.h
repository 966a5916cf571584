// Ids for member ids and the like, random as Kafka's (Uuid.randomUuid): version 4, none that prints with a leading "-",
// which tools would take for an option. One per shard, used on its thread.
// Why not a cryptographic source: the ids need to be unique, not secret; a system call per id would be the price.
#pragma once

#include <random>

#include "server/coordinator/core/context.h"

namespace cohort::runtime {

class RandomIds final : public coordinator::IdSource {
 public:
  RandomIds();  // seeded by the system
  protocol::Uuid next_uuid() override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace cohort::runtime
