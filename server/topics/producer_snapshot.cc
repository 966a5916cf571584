#include "server/topics/producer_snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <vector>

#include "protocol/base/log.h"
#include "protocol/batch/crc32c.h"
#include "server/storage/fs.h"
#include "server/storage/segment.h"

namespace cohort::topics {
namespace {

constexpr std::string_view kMagic = "cohprod1";
constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;

template <typename T>
void put(std::string& out, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Reads numbers as long as there are bytes; afterwards everything is 0 and ok() false.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <typename T>
  T get() {
    if (bytes_.size() < sizeof(T)) {
      ok_ = false;
      return 0;
    }
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
    return std::endian::native == std::endian::little ? std::byteswap(value) : value;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::span<const std::byte> bytes_;
  bool ok_ = true;
};

std::string file_name(std::int64_t offset) {
  return fmt::format("{:020}{}", offset, storage::kProducersSuffix);
}

// Newest first.
std::vector<std::int64_t> stored_offsets(storage::Fs& fs, const std::string& dir) {
  std::vector<std::int64_t> offsets;
  const auto entries = fs.list(dir);
  if (!entries) return offsets;
  for (const storage::DirEntry& entry : *entries) {
    if (const auto offset = storage::parse_file_name(entry.name, storage::kProducersSuffix)) offsets.push_back(*offset);
  }
  std::ranges::sort(offsets, std::greater{});
  return offsets;
}

}  // namespace

std::string encode_producers(const ProducerTable& producers, std::int64_t offset) {
  std::string out(kMagic);
  put(out, offset);
  put(out, static_cast<std::int32_t>(producers.entries().size()));
  for (const auto& [id, entry] : producers.entries()) {
    put(out, id);
    put(out, entry.epoch);
    put(out, entry.last_append_ms);
    put(out, static_cast<std::int8_t>(entry.batches().size()));
    for (const ProducerBatch& batch : entry.batches()) {
      put(out, batch.first_sequence);
      put(out, batch.last_sequence);
      put(out, batch.first_offset);
      put(out, batch.last_offset);
      put(out, batch.max_timestamp_ms);
    }
  }
  put(out, protocol::crc32c(std::as_bytes(std::span(out))));
  return out;
}

Result<std::int64_t> decode_producers(std::span<const std::byte> bytes, ProducerTable& into) {
  constexpr std::size_t kCrcBytes = sizeof(std::uint32_t);
  if (bytes.size() < kMagic.size() + kCrcBytes || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return fail(ErrorKind::kCorrupt, "no snapshot of producer state");
  }
  const auto body = bytes.first(bytes.size() - kCrcBytes);
  if (Cursor(bytes.last(kCrcBytes)).get<std::uint32_t>() != protocol::crc32c(body)) {
    return fail(ErrorKind::kCorrupt, "the checksum of a snapshot of producer state is wrong");
  }
  Cursor cursor(body.subspan(kMagic.size()));
  const auto offset = cursor.get<std::int64_t>();
  const auto count = cursor.get<std::int32_t>();
  for (std::int32_t i = 0; i < count && cursor.ok(); ++i) {
    const auto id = cursor.get<std::int64_t>();
    ProducerEntry entry;
    entry.epoch = cursor.get<std::int16_t>();
    entry.last_append_ms = cursor.get<std::int64_t>();
    const auto batches = cursor.get<std::int8_t>();
    for (std::int8_t b = 0; b < batches && cursor.ok(); ++b) {
      ProducerBatch batch;
      batch.first_sequence = cursor.get<std::int32_t>();
      batch.last_sequence = cursor.get<std::int32_t>();
      batch.first_offset = cursor.get<std::int64_t>();
      batch.last_offset = cursor.get<std::int64_t>();
      batch.max_timestamp_ms = cursor.get<std::int64_t>();
      entry.add(batch);
    }
    if (cursor.ok()) into.restore(id, entry);
  }
  if (!cursor.ok() || !cursor.at_end()) return fail(ErrorKind::kCorrupt, "a snapshot of producer state ends early");
  return offset;
}

Result<void> save_producers(storage::Fs& fs, const std::string& dir, std::string_view encoded, std::int64_t offset,
                            const std::vector<std::string>& expendable) {
  if (auto saved = storage::replace_file(fs, dir, file_name(offset), encoded, expendable); !saved) return saved;
  // Two are kept: the log may lose its end to a power failure, and then the newest says too much.
  const std::vector<std::int64_t> offsets = stored_offsets(fs, dir);
  for (std::size_t i = 2; i < offsets.size(); ++i) {
    if (auto removed = fs.remove(dir + "/" + file_name(offsets[i])); !removed) return removed;
  }
  return {};
}

Result<std::optional<std::int64_t>> load_producers(storage::Fs& fs, const std::string& dir, std::int64_t first,
                                                   std::int64_t last, ProducerTable& into) {
  const std::vector<std::int64_t> offsets = stored_offsets(fs, dir);
  bool removed_any = false;
  for (const std::int64_t offset : offsets) {
    if (offset <= last) break;
    if (auto removed = fs.remove(dir + "/" + file_name(offset)); !removed) return std::unexpected(removed.error());
    removed_any = true;
  }
  if (removed_any) {
    if (auto synced = fs.sync_dir(dir); !synced) return std::unexpected(synced.error());
  }
  for (const std::int64_t offset : offsets) {
    if (offset < first || offset > last) continue;
    const std::string path = dir + "/" + file_name(offset);
    ProducerTable found = into;
    const auto text = storage::read_whole_file(fs, path, kMaxFileBytes);
    const auto decoded = text ? decode_producers(std::as_bytes(std::span(*text)), found)
                              : Result<std::int64_t>(std::unexpected(text.error()));
    if (decoded && *decoded == offset) {
      into = std::move(found);
      return offset;
    }
    log::warn("Partition", "{} is passed over: {}", path,
              decoded ? "it is of another offset" : decoded.error().message);
  }
  return std::nullopt;
}

}  // namespace cohort::topics
