// The body of MessageCodec for one message type. Included by generated code alone.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "protocol/wire/byte_reader.h"
#include "protocol/wire/byte_writer.h"
#include "tests/generated/message_codec.h"
#include "tests/generated/random.h"

namespace cohort::protocol::generated {

template <typename Message>
Result<std::vector<std::byte>> encode(const Message& message, std::int16_t version) {
  ByteBuffer buffer;
  ByteWriter writer(buffer);
  write(writer, message, version);
  if (auto done = writer.status(); !done) return std::unexpected(std::move(done.error()));
  return std::vector<std::byte>(buffer.view().begin(), buffer.view().end());
}

template <typename Message>
Result<void> decode(std::span<const std::byte> bytes, Message& message, std::int16_t version) {
  ByteReader reader(bytes);
  read(reader, message, version);
  return reader.finish();
}

template <typename Ops>
Result<Transcoded> transcode(std::span<const std::byte> bytes, std::int16_t version) {
  typename Ops::Message message;
  if (auto done = decode(bytes, message, version); !done) return std::unexpected(std::move(done.error()));
  Transcoded result;
  append_json(result.json, message, version);
  Ops::collect(message, result.unknown_tags);
  auto written = encode(message, version);
  if (!written) return std::unexpected(std::move(written.error()));
  result.bytes = *std::move(written);
  return result;
}

// used: an object to read into that already holds something else.
template <typename Ops>
std::string check_one(const typename Ops::Message& original, typename Ops::Message used, std::int16_t version) {
  auto bytes = encode(original, version);
  if (!bytes) return "cannot be written: " + bytes.error().message;
  std::vector<std::byte> frame = *bytes;
  if (auto done = decode(std::span<const std::byte>(frame), used, version); !done) {
    return "cannot be read: " + done.error().message;
  }
  if (!(used == original)) return "what was read differs from what was written";
  auto copy = used;
  used = typename Ops::Message();
  std::ranges::fill(frame, std::byte{0xee});
  if (!(copy == original)) return "a copy still points into the frame";
  auto again = encode(copy, version);
  if (!again || *again != *bytes) return "the second write differs from the first";
  return "";
}

template <typename Ops>
std::string check_damaged(const std::vector<std::byte>& bytes, Random& random, std::int16_t version) {
  typename Ops::Message message;
  // All prefixes of short messages, a hundred of long ones.
  const std::size_t step = std::max<std::size_t>(1, bytes.size() / 100);
  for (std::size_t size = 0; size < bytes.size(); size += step) {
    const std::span<const std::byte> cut(bytes.data(), size);
    if (!decode(cut, message, version)) continue;
    const auto written = encode(message, version);
    if (!written || !std::ranges::equal(*written, cut)) return "a prefix was read as something that it does not say";
  }
  for (int i = 0; i < 100 && !bytes.empty(); ++i) {
    std::vector<std::byte> damaged = bytes;
    random.fill(reinterpret_cast<std::int8_t&>(damaged[random.below(damaged.size())]));
    if (!decode(damaged, message, version)) continue;
    // Several spellings of a number are read as one; what was read must still be a message.
    const auto written = encode(message, version);
    if (!written) return "what was read cannot be written: " + written.error().message;
    typename Ops::Message back;
    if (!decode(*written, back, version) || !(back == message))
      return "a damaged message does not survive a round trip";
  }
  return "";
}

template <typename Ops>
std::string check_round_trip(std::uint64_t seed, std::int16_t version) {
  Random random(seed);
  typename Ops::Message used;
  Ops::fill(random, used, version);
  std::string problem = check_one<Ops>(typename Ops::Message(), used, version);
  if (!problem.empty()) return "default: " + problem;
  for (int i = 0; i < 4; ++i) {
    typename Ops::Message message;
    Ops::fill(random, message, version);
    problem = check_one<Ops>(message, used, version);
    if (problem.empty()) problem = check_damaged<Ops>(*encode(message, version), random, version);
    if (!problem.empty()) return fmt::format("random {}: {}", i, problem);
    used = std::move(message);
  }
  return "";
}

template <typename Ops>
MessageCodec make_codec() {
  using Message = typename Ops::Message;
  return {Message::kName, Message::kMinVersion, Message::kMaxVersion, &transcode<Ops>, &check_round_trip<Ops>};
}

}  // namespace cohort::protocol::generated
