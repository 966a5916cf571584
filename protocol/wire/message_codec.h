// What the generated readers and writers share. Not meant for other code.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"

namespace cohort::protocol {

template <typename Message>
constexpr bool has_version(std::int16_t version) {
  return version >= Message::kMinVersion && version <= Message::kMaxVersion;
}

template <typename T, typename ReadOne>
void read_array(ByteReader& reader, std::vector<T>& into, std::size_t count, ReadOne&& read_one) {
  into.clear();
  into.reserve(std::min(count, kMaxInitialCapacity));
  for (std::size_t i = 0; i < count && reader.ok(); ++i) read_one(into.emplace_back());
}

// Numbers lie side by side: one check for all of them, and the size is backed by bytes that are there.
template <std::integral T>
void read_integers(ByteReader& reader, std::vector<T>& into, std::size_t count) {
  into.clear();
  const auto bytes = reader.raw(count * sizeof(T));
  into.resize(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < into.size(); ++i) into[i] = load_big_endian<T>(bytes.data() + i * sizeof(T));
}

inline void write_unknown_tags(ByteWriter& writer, const TaggedFields& tags) {
  writer.unsigned_varint(static_cast<std::uint32_t>(tags.size()));
  if (!tags.empty()) writer.unknown_tags(tags.view(), 0, kNoTagLimit);
}

}  // namespace cohort::protocol
