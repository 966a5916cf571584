// Every message that codegen knows, by name: what golden and round-trip tests do with one, without naming its type.
// Behind function pointers on purpose: as templates the checks would be compiled once per message, which took minutes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/base/result.h"
#include "protocol/wire/tagged_fields.h"

namespace cohort::protocol {
class ByteReader;
class ByteWriter;
}  // namespace cohort::protocol

namespace cohort::protocol::generated {

class Random;

// Tagged fields that no schema knows, and the struct that had them: "" for the message, "topics[0].partitions[2]".
struct UnknownTags {
  std::string path;
  TaggedFields tags;
};

// The operations of one message type on objects of it.
struct MessageOps {
  void* (*create)();
  void* (*copy)(const void* object);
  void (*destroy)(void* object);
  bool (*equal)(const void* a, const void* b);
  void (*read)(ByteReader& reader, void* object, std::int16_t version);
  void (*write)(ByteWriter& writer, const void* object, std::int16_t version);
  void (*append_json)(std::string& out, const void* object, std::int16_t version);
  void (*fill)(Random& random, void* object, std::int16_t version);
  void (*collect_unknown_tags)(const void* object, std::vector<UnknownTags>& into);
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
  MessageOps ops;

  // Reads all of the bytes, prints what was read, writes it again.
  Result<Transcoded> transcode(std::span<const std::byte> bytes, std::int16_t version) const;
  // Checks on a default-constructed and on pseudo-random messages of one version. Returns what is wrong, empty when
  // nothing is: reading gives back what was written, also over a used object and after the bytes are gone; truncated
  // and damaged bytes are an error or another valid message.
  std::string check_round_trip(std::uint64_t seed, std::int16_t version) const;
};

const std::vector<MessageCodec>& all_messages();

// Used by generated code. Fill and Collect: its functions for this message.
template <typename Message, auto Fill, auto Collect>
MessageCodec make_codec() {
  static constexpr auto as = [](const void* object) -> const Message& { return *static_cast<const Message*>(object); };
  return {Message::kName,
          Message::kMinVersion,
          Message::kMaxVersion,
          {.create = []() -> void* { return new Message(); },
           .copy = [](const void* object) -> void* { return new Message(as(object)); },
           .destroy = [](void* object) { delete static_cast<Message*>(object); },
           .equal = [](const void* a, const void* b) { return as(a) == as(b); },
           .read = [](ByteReader& reader, void* object,
                      std::int16_t version) { read(reader, *static_cast<Message*>(object), version); },
           .write = [](ByteWriter& writer, const void* object,
                       std::int16_t version) { write(writer, as(object), version); },
           .append_json = [](std::string& out, const void* object,
                             std::int16_t version) { append_json(out, as(object), version); },
           .fill = [](Random& random, void* object,
                      std::int16_t version) { Fill(random, *static_cast<Message*>(object), version); },
           .collect_unknown_tags = [](const void* object,
                                      std::vector<UnknownTags>& into) { Collect(as(object), "", into); }}};
}

}  // namespace cohort::protocol::generated
