#include "server/storage/file_region.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>

#include "protocol/batch/record_batch.h"
#include "server/storage/segment.h"

namespace cohort::storage {
namespace {

Result<std::size_t> read_some(const protocol::FileRegion& region, std::size_t from, std::span<std::byte> out) {
  const std::size_t wanted = std::min(out.size(), region.size - from);
  const ssize_t count = ::pread(region.descriptor, out.data(), wanted, static_cast<off_t>(region.position + from));
  if (count >= 0) return static_cast<std::size_t>(count);
  return fail(ErrorKind::kIo, fmt::format("records cannot be read at position {}", region.position + from), errno);
}

}  // namespace

Result<std::size_t> fitting_batches(const protocol::FileRegion& region, std::size_t limit, bool at_least_one) {
  std::array<std::byte, 4096> buffer{};  // a few small batches at a time
  std::size_t buffered_from = 0;
  std::size_t buffered = 0;
  std::size_t end = 0;
  while (end < region.size) {
    if (end + protocol::kBatchHeaderSize > buffered_from + buffered) {
      const auto count = read_some(region, end, buffer);
      if (!count) return count;
      buffered_from = end;
      buffered = *count;
    }
    const auto header =
        protocol::parse_batch_header(std::span(buffer).first(buffered).subspan(end - buffered_from), kMaxBatchBytes);
    if (!header) return std::unexpected(header.error());
    const std::size_t next = end + header->size_in_bytes();
    if (next > region.size || (next > limit && !(at_least_one && end == 0))) break;
    end = next;
  }
  return end;
}

}  // namespace cohort::storage
