// Every message that codegen knows, by name: what golden and round-trip tests do with one, without naming its type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/wire/tagged_fields.h"

namespace cohort::protocol::generated {

// Tagged fields that no schema knows, and the struct that had them: "" for the message, "topics[0].partitions[2]".
struct UnknownTags {
  std::string path;
  TaggedFields tags;
};

struct Transcoded {
  std::string json;
  std::vector<UnknownTags> unknown_tags;
  std::vector<std::byte> bytes;  // written again
};

struct MessageCodec {
  std::string_view name;
  std::int16_t min_version;
  std::int16_t max_version;
  // Reads all of the bytes, prints what was read, writes it again.
  Result<Transcoded> (*transcode)(std::span<const std::byte> bytes, std::int16_t version);
  // Checks on a default-constructed and on pseudo-random messages of one version. Returns what is wrong, empty when
  // nothing is: reading gives back what was written, also over a used object and after the bytes are gone; truncated
  // and damaged bytes are an error or another valid message.
  std::string (*check_round_trip)(std::uint64_t seed, std::int16_t version);
};

const std::vector<MessageCodec>& all_messages();

}  // namespace cohort::protocol::generated
