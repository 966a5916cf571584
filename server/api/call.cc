#include "server/api/call.h"

#include "protocol/base/log.h"
#include "server/api/api_table.h"

namespace cohort::api {

void Call::end_reply(const Result<void>& written) {
  if (!written) {
    // A bug of a handler: it set what this version cannot carry. Better no answer than a wrong one.
    log::error("Api", "The answer to {} v{} cannot be written: {}", row_->name, head_.version, written.error().message);
    port_->refuse("its answer cannot be written");
    return;
  }
  port_->end_reply(sequence_);
}

}  // namespace cohort::api
