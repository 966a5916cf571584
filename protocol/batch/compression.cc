#include "protocol/batch/compression.h"

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "protocol/base/check.h"
#include "protocol/batch/codec_output.h"
#include "protocol/batch/snappy_stream.h"
#include "protocol/wire/byte_buffer.h"

namespace cohort::protocol {
namespace {

constexpr std::size_t kMaxInput = std::size_t{1} << 30;

std::unexpected<Error> too_large(const char* codec) {
  return fail(ErrorKind::kTooLarge, std::string(codec) + " data grows beyond the limit");
}
std::unexpected<Error> malformed(const char* codec) {
  return fail(ErrorKind::kMalformed, std::string(codec) + " data cannot be decoded");
}

Result<void> gzip_decompress(std::span<const std::byte> input, std::size_t max_output, ByteBuffer& bytes) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, 15 + 16) == Z_OK, "zlib has no memory");  // 16: a gzip header, not a zlib one
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> end(&stream, &inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());

  detail::CodecOutput output(bytes, max_output, input.size() * 4);
  while (true) {
    const auto room = output.room();
    stream.next_out = reinterpret_cast<Bytef*>(room.data());
    stream.avail_out = static_cast<uInt>(room.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (!output.wrote(room.size() - stream.avail_out)) return too_large("gzip");
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      inflateReset(&stream);  // the next member
    } else if (status == Z_OK || (status == Z_BUF_ERROR && stream.avail_out == 0)) {
      if (stream.avail_out > 0 && stream.avail_in == 0) return malformed("gzip");  // cut short
    } else {
      return malformed("gzip");
    }
  }
  return {};
}

Result<void> gzip_compress(std::span<const std::byte> input, ByteBuffer& output) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK,
        "zlib has no memory");
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> end(&stream, &deflateEnd);
  const std::size_t bound = deflateBound(&stream, input.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(input.data()));
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(output.prepare(bound));
  stream.avail_out = static_cast<uInt>(bound);
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate outgrew its own bound");
  output.commit(bound - stream.avail_out);
  return {};
}

// Kafka's Lz4BlockInputStream refuses what its own writer never makes; so do we, or its consumers could not read it.
bool is_lz4_frame_of_kafka(std::span<const std::byte> input) {
  static constexpr std::array<std::uint8_t, 4> kMagic = {0x04, 0x22, 0x4d, 0x18};
  if (input.size() < 7 || std::memcmp(input.data(), kMagic.data(), kMagic.size()) != 0) return false;
  const auto flags = std::to_integer<std::uint8_t>(input[4]);
  const auto block = std::to_integer<std::uint8_t>(input[5]);
  const bool is_version_1_independent = (flags & 0xe0) == 0x60;
  const bool has_dictionary_or_reserved = (flags & 0x03) != 0;
  return is_version_1_independent && !has_dictionary_or_reserved && (block & 0x8f) == 0 && (block >> 4) >= 4;
}

struct Lz4ContextDelete {
  void operator()(LZ4F_dctx* context) const { LZ4F_freeDecompressionContext(context); }
};

Result<void> lz4_decompress(std::span<const std::byte> input, std::size_t max_output, ByteBuffer& bytes) {
  static constexpr int kLargestKeptBlockId = 5;  // 256 KiB; a context for larger blocks is given back at once
  thread_local std::unique_ptr<LZ4F_dctx, Lz4ContextDelete> context;

  if (!is_lz4_frame_of_kafka(input)) return fail(ErrorKind::kMalformed, "not an lz4 frame of independent blocks");
  if (context == nullptr) {
    LZ4F_dctx* made = nullptr;
    CHECK(LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) == 0, "lz4 has no memory");
    context.reset(made);
  }
  LZ4F_resetDecompressionContext(context.get());
  const auto decode = [&]() -> Result<void> {
    detail::CodecOutput output(bytes, max_output, input.size() * 4);
    std::size_t position = 0;
    while (true) {
      const auto room = output.room();
      std::size_t produced = room.size();
      std::size_t consumed = input.size() - position;
      const std::size_t hint =
          LZ4F_decompress(context.get(), room.data(), &produced, input.data() + position, &consumed, nullptr);
      if (LZ4F_isError(hint) != 0) return malformed("lz4");
      position += consumed;
      if (!output.wrote(produced)) return too_large("lz4");
      if (hint == 0) break;
      if (consumed == 0 && produced == 0) return malformed("lz4");  // cut short
    }
    if (position != input.size()) return fail(ErrorKind::kMalformed, "bytes behind the end of an lz4 frame");
    return {};
  };
  auto done = decode();
  // Nor is a context kept after an error: liblz4 1.9.4 forgets to reset how much of a frame's announced content is due
  // and then refuses the sound frames that follow.
  if (!done || (std::to_integer<int>(input[5]) >> 4) > kLargestKeptBlockId) context.reset();
  return done;
}

Result<void> lz4_compress(std::span<const std::byte> input, ByteBuffer& output) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  const std::size_t bound = LZ4F_compressFrameBound(input.size(), &preferences);
  const std::size_t length = LZ4F_compressFrame(output.prepare(bound), bound, input.data(), input.size(), &preferences);
  CHECK(LZ4F_isError(length) == 0, "lz4 outgrew its own bound");
  output.commit(length);
  return {};
}

struct ZstdContextDelete {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

bool is_zstd_skippable(std::uint32_t magic) {
  return (magic & ZSTD_MAGIC_SKIPPABLE_MASK) == static_cast<std::uint32_t>(ZSTD_MAGIC_SKIPPABLE_START);
}

// Frame by frame straight into the output, larger at each try: a stream decoder would set aside the window that the
// frame declares, up to 128 MB for a few bytes. The tries that fail cost a third of the last one in all.
Result<void> zstd_decompress(std::span<const std::byte> input, std::size_t max_output, ByteBuffer& bytes) {
  thread_local std::unique_ptr<ZSTD_DCtx, ZstdContextDelete> context(ZSTD_createDCtx());
  CHECK(context != nullptr, "zstd has no memory");
  if (input.empty()) return malformed("zstd");

  const unsigned long long declared = ZSTD_getFrameContentSize(input.data(), input.size());
  const bool is_known = declared != ZSTD_CONTENTSIZE_UNKNOWN && declared != ZSTD_CONTENTSIZE_ERROR;
  if (is_known && declared > max_output) return too_large("zstd");
  detail::CodecOutput output(bytes, max_output, is_known ? declared : input.size() * 4);
  while (!input.empty()) {
    std::uint32_t magic = 0;  // little-endian; nothing older than format 1, which zstd would read as well
    for (std::size_t i = 0; i < std::min<std::size_t>(4, input.size()); ++i) {
      magic |= std::to_integer<std::uint32_t>(input[i]) << (8 * i);
    }
    if (magic != ZSTD_MAGICNUMBER && !is_zstd_skippable(magic)) return malformed("zstd");
    const std::size_t frame_size = ZSTD_findFrameCompressedSize(input.data(), input.size());
    if (ZSTD_isError(frame_size) != 0) return malformed("zstd");
    while (magic == ZSTD_MAGICNUMBER) {
      const auto room = output.room();
      const std::size_t length = ZSTD_decompressDCtx(context.get(), room.data(), room.size(), input.data(), frame_size);
      if (ZSTD_isError(length) == 0) {
        if (!output.wrote(length)) return too_large("zstd");
        break;
      }
      if (ZSTD_getErrorCode(length) != ZSTD_error_dstSize_tooSmall) return malformed("zstd");
      if (!output.grow()) return too_large("zstd");
    }
    input = input.subspan(frame_size);
  }
  return {};
}

Result<void> zstd_compress(std::span<const std::byte> input, ByteBuffer& output) {
  thread_local std::unique_ptr<ZSTD_CCtx, ZstdContextDelete> context(ZSTD_createCCtx());
  CHECK(context != nullptr, "zstd has no memory");
  const std::size_t bound = ZSTD_compressBound(input.size());
  const std::size_t length =
      ZSTD_compressCCtx(context.get(), output.prepare(bound), bound, input.data(), input.size(), ZSTD_CLEVEL_DEFAULT);
  CHECK(ZSTD_isError(length) == 0, "zstd outgrew its own bound");
  output.commit(length);
  return {};
}

}  // namespace

std::string_view compression_name(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kSnappy:
      return "snappy";
    case Compression::kLz4:
      return "lz4";
    case Compression::kZstd:
      return "zstd";
  }
  return "unknown";
}

Result<void> decompress(Compression compression, std::span<const std::byte> input, std::size_t max_output,
                        ByteBuffer& output) {
  if (input.size() > kMaxInput) return fail(ErrorKind::kTooLarge, "more than 1 GiB of compressed data");
  max_output = std::min(max_output, kMaxInput);  // what zlib counts in one go
  switch (compression) {
    case Compression::kNone:
      if (input.size() > max_output) return fail(ErrorKind::kTooLarge, "data is larger than the limit");
      std::ranges::copy(input, detail::CodecOutput(output, max_output, input.size()).room_for(input.size()));
      output.commit(input.size());
      return {};
    case Compression::kGzip:
      return gzip_decompress(input, max_output, output);
    case Compression::kSnappy:
      return detail::snappy_decompress(input, max_output, output);
    case Compression::kLz4:
      return lz4_decompress(input, max_output, output);
    case Compression::kZstd:
      return zstd_decompress(input, max_output, output);
  }
  return fail(ErrorKind::kUnsupported, "unknown compression codec");
}

Result<void> compress(Compression compression, std::span<const std::byte> input, ByteBuffer& output) {
  if (input.size() > kMaxInput) return fail(ErrorKind::kTooLarge, "more than 1 GiB to compress");
  switch (compression) {
    case Compression::kNone:
      output.append(input);
      return {};
    case Compression::kGzip:
      return gzip_compress(input, output);
    case Compression::kSnappy:
      detail::snappy_compress(input, output);
      return {};
    case Compression::kLz4:
      return lz4_compress(input, output);
    case Compression::kZstd:
      return zstd_compress(input, output);
  }
  return fail(ErrorKind::kUnsupported, "unknown compression codec");
}

}  // namespace cohort::protocol
