// Packs the records of a batch with another codec, for topics whose compression.type is not `producer`.
// Pure; offsets within the batch, timestamps, headers and the producer's fields stay as they are.
#pragma once

#include <cstddef>

#include "protocol/base/result.h"
#include "protocol/batch/record_batch.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::topics {

// Precondition: the batch passed validate_produced_batch. Errors: kTooLarge above max_decompressed_bytes.
Result<protocol::ByteBuffer> recompress(const protocol::BatchView& batch, protocol::Compression target,
                                        std::size_t max_decompressed_bytes);

}  // namespace cohort::topics
