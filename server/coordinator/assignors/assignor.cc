#include "server/coordinator/assignors/assignor.h"

#include "server/coordinator/assignors/range_assignor.h"
#include "server/coordinator/assignors/uniform_assignor.h"

namespace cohort::coordinator {

const PartitionAssignor* find_assignor(std::string_view name) {
  static const UniformAssignor uniform;
  static const RangeAssignor range;
  if (name == uniform.name()) return &uniform;
  if (name == range.name()) return &range;
  return nullptr;
}

}  // namespace cohort::coordinator
