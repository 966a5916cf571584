// What can be asked of records that were left in their file (ReadForm::kRegion). Any thread.
#pragma once

#include <cstddef>

#include "protocol/base/result.h"
#include "protocol/wire/records.h"

namespace cohort::storage {

// The size of the whole batches at the front that fit into `limit` bytes; with at_least_one the first one even if it
// does not. Reads their headers, one after the other: for the one partition of a fetch where its budget ends.
Result<std::size_t> fitting_batches(const protocol::FileRegion& region, std::size_t limit, bool at_least_one);

}  // namespace cohort::storage
