// Names a request for the owner of a ShardCore; what it stands for is the owner's business. Unique among the open ones.
#pragma once

#include <cstdint>

#include "protocol/base/strong.h"

namespace cohort::runtime {

using CallId = Strong<struct CallIdTag, std::uint64_t>;

}  // namespace cohort::runtime
