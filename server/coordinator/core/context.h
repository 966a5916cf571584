// What a coordinator is given besides its state and the request: time, ids and a view of the topics.
// Everything that is not a function of these does not belong in a coordinator.
#pragma once

#include <memory>

#include "protocol/base/time.h"
#include "protocol/types/uuid.h"
#include "server/coordinator/core/metadata_view.h"

namespace cohort::coordinator {

// Makes ids. The driver's is random; a test's or simulation's is a counter from a seed. Used on the shard's thread.
class IdSource {
 public:
  virtual ~IdSource() = default;
  virtual protocol::Uuid next_uuid() = 0;
};

// Valid during one step.
struct Context {
  Now now;
  IdSource& ids;
  const std::shared_ptr<const MetadataView>& metadata;  // never null; jobs keep a copy
};

}  // namespace cohort::coordinator
