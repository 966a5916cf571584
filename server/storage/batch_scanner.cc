#include "server/storage/batch_scanner.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/storage/segment.h"

namespace cohort::storage {

BatchScanner::BatchScanner(const File& file, std::uint64_t position, std::uint64_t end, std::int64_t offset,
                           Chain chain, Check check, std::size_t buffer_bytes)
    : file_(file),
      position_(position),
      end_(std::max(position, end)),
      offset_(offset),
      chain_(chain),
      check_(check),
      buffer_(static_cast<std::size_t>(std::min<std::uint64_t>(buffer_bytes, end_ - position))),
      buffer_position_(position) {}

Result<std::span<const std::byte>> BatchScanner::available(std::size_t count) {
  const auto view = [this] {
    const auto skipped = static_cast<std::size_t>(position_ - buffer_position_);
    return std::span<const std::byte>(buffer_).subspan(skipped, buffer_size_ - skipped);
  };
  const bool is_inside = position_ <= buffer_position_ + buffer_size_;
  if (is_inside && view().size() >= count) return view();

  // The rest of the buffer moves to its front; a batch larger than the buffer makes it grow, to the file's rest at
  // most.
  const std::size_t kept = is_inside ? view().size() : 0;
  std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(buffer_size_ - kept), kept, buffer_.begin());
  buffer_position_ = position_;
  buffer_size_ = kept;
  const std::uint64_t left = end_ - position_;
  if (count > buffer_.size()) buffer_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(count, left)));
  const std::size_t wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer_.size(), left));
  const auto read = file_.read_at(position_ + kept, std::span(buffer_).subspan(kept, wanted - kept));
  if (!read) return std::unexpected(read.error());
  buffer_size_ += *read;
  return view();
}

Result<std::optional<protocol::BatchHeader>> BatchScanner::next() {
  if (position_ == end_) return std::nullopt;
  auto bytes = available(protocol::kBatchHeaderSize);
  if (!bytes) return std::unexpected(std::move(bytes.error()));
  const auto header = protocol::parse_batch_header(*bytes, kMaxBatchBytes);
  if (!header) return std::unexpected(header.error());
  if (!continues(chain_, offset_, header->base_offset())) {
    return fail(ErrorKind::kMalformed,
                fmt::format("a batch begins with offset {}, expected {}", header->base_offset(), offset_));
  }
  const std::size_t size = header->size_in_bytes();
  if (size > end_ - position_) {
    return fail(ErrorKind::kMalformed, fmt::format("a batch of {} bytes begins, {} are left", size, end_ - position_));
  }
  protocol::BatchHeader batch = *header;
  if (check_ == Check::kChecksums) {
    bytes = available(size);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    const auto whole = protocol::parse_batch(*bytes, kMaxBatchBytes);
    if (!whole) return std::unexpected(whole.error());
    batch = static_cast<const protocol::BatchHeader&>(*whole);
  }
  position_ += size;
  last_size_ = size;
  offset_ = batch.last_offset() + 1;
  return batch;
}

namespace {

bool are_batches(std::span<const std::byte> bytes) {
  std::int64_t offset = protocol::BatchHeader(bytes.data()).base_offset();
  while (!bytes.empty()) {
    const auto batch = protocol::parse_batch(bytes, kMaxBatchBytes);
    if (!batch || batch->base_offset() != offset) return false;
    offset = batch->last_offset() + 1;
    bytes = bytes.subspan(batch->size_in_bytes());
  }
  return true;
}

}  // namespace

std::optional<std::size_t> find_batches_behind(std::span<const std::byte> bytes, std::int64_t offset) {
  for (std::size_t position = 1; position + protocol::kBatchHeaderSize <= bytes.size(); ++position) {
    const auto rest = bytes.subspan(position);
    const protocol::BatchHeader header(rest.data());
    if (header.magic() == protocol::kBatchMagic && header.base_offset() > offset && are_batches(rest)) return position;
  }
  return std::nullopt;
}

}  // namespace cohort::storage
