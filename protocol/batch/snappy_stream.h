// Snappy as Kafka's Java clients write it: the stream of the xerial library, blocks of raw snappy behind a header.
// Owner: none, functions for compression.cc. Threads: any. Why not snappy's own framing format: Kafka never used it.
#pragma once

#include <cstddef>
#include <span>

#include "protocol/base/result.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol::detail {

// As decompress() in compression.h. Without the xerial header the input is one raw snappy block (librdkafka and others
// write that, and xerial's SnappyInputStream reads it).
Result<void> snappy_decompress(std::span<const std::byte> input, std::size_t max_output, ByteBuffer& output);

// Appends a xerial stream.
void snappy_compress(std::span<const std::byte> input, ByteBuffer& output);

}  // namespace cohort::protocol::detail
