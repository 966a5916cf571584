// From what `topics` publishes to what the coordinator sees. A pure function; any thread.
#pragma once

#include <memory>

#include "server/coordinator/core/metadata_view.h"
#include "server/topics/catalogue_snapshot.h"

namespace cohort::app {

std::shared_ptr<const coordinator::MetadataView> metadata_view(const topics::CatalogueSnapshot& snapshot);

}  // namespace cohort::app
