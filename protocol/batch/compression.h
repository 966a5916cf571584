// The compression codecs of record batches: gzip, snappy (in the xerial stream that Kafka uses), lz4 frames, zstd.
// Owner: none, functions. Threads: any; each thread keeps its own codec contexts for lz4 and zstd, made on first use.
// Why not streaming to the caller: records are decoded as views, so they must lie in one piece; and a batch is small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/base/result.h"

namespace cohort::protocol {

class ByteBuffer;

// The numbers are those of the attributes of a batch (Kafka's CompressionType).
enum class Compression : std::uint8_t { kNone = 0, kGzip = 1, kSnappy = 2, kLz4 = 3, kZstd = 4 };

// Kafka's name: none, gzip, snappy, lz4, zstd.
std::string_view compression_name(Compression compression);

// Decompresses the whole input into output, whose content is replaced and whose memory is used again.
// Never produces or reserves more than max_output bytes (while it grows, old and new buffer exist side by side); more
// is kTooLarge; bytes that do not follow the codec's format, or go on after its end, are kMalformed. After an error
// output holds nothing useful. Beside the output a codec uses: gzip 40 KB, snappy nothing, lz4 at most 9 MB, zstd 160
// KB (the window of a zstd frame costs nothing, because the output is the window). Accepts what Kafka's readers accept:
// gzip members and zstd frames one after the other, xerial streams and raw snappy blocks, lz4 frames of independent
// blocks only (Lz4BlockInputStream).
Result<void> decompress(Compression compression, std::span<const std::byte> input, std::size_t max_output,
                        ByteBuffer& output);

// Appends the compressed input to output, at the codec's default level. kTooLarge for more than 1 GiB.
Result<void> compress(Compression compression, std::span<const std::byte> input, ByteBuffer& output);

}  // namespace cohort::protocol
