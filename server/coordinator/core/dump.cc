#include "server/coordinator/consumer/dump.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "server/coordinator/classic/classic_groups.h"
#include "server/coordinator/core/state.h"
#include "server/coordinator/offsets/offsets.h"

namespace cohort::coordinator {

std::string dump(const GroupState& state) {
  std::string out = fmt::format("last record {} last deletion {}\n", state.last_record, state.last_deletion);
  dump_consumer_groups(state, out);
  dump_classic_groups(state, out);
  for (const auto& [id, group] : state.foreign_groups) {
    fmt::format_to(std::back_inserter(out), "foreign group '{}' type {} last record {}\n", id,
                   std::to_underlying(group.type), group.last_record);
  }
  dump_offsets(state.offsets, out);
  return out;
}

}  // namespace cohort::coordinator
